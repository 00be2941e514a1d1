use super::*;

fn order_id(number: u8) -> OrderId {
    OrderId::from_bytes([number; 12])
}

fn ticket_id(number: u8) -> TicketId {
    TicketId::from_bytes([number; 12])
}

fn order(number: u8, ticket: u8, status: StatusWord) -> (OrderId, OrderRow) {
    let row = OrderRow {
        status,
        tickets: vec![ticket_id(ticket)],
    };
    (order_id(number), row)
}

fn ticket(number: u8, status: TicketStatus, holder: Option<u8>) -> TicketRow {
    TicketRow {
        id: ticket_id(number),
        status,
        order: holder.map(order_id),
    }
}

fn claim(number: u8, told: Told) -> Claim {
    Claim {
        order: order_id(number),
        ticket: ticket_id(number.min(2)),
        buyer: 0,
        told,
    }
}

/// Two tickets, two buyers: the first paid, the second holds; a third was told that nothing is left.
fn sold_out() -> (Answers, Books) {
    let answers = Answers {
        claims: vec![claim(1, Told::Paid), claim(2, Told::Reserved)],
        sold_out: 1,
        ..Answers::default()
    };
    let orders = [
        order(1, 1, StatusWord::Complete),
        order(2, 2, StatusWord::Created),
    ];
    let books = Books {
        orders: orders.into_iter().collect(),
        tickets: vec![
            ticket(1, TicketStatus::Sold, Some(1)),
            ticket(2, TicketStatus::Reserved, Some(2)),
        ],
    };
    (answers, books)
}

fn breaches(answers: &Answers, books: &Books) -> Vec<Breach> {
    audit(answers, books).1
}

#[test]
fn a_shop_that_kept_its_promises_has_sold_its_stock() {
    let (answers, books) = sold_out();
    let sales = Sales {
        stock: 2,
        held: 2,
        paid: 1,
        free: 0,
    };
    assert_eq!(audit(&answers, &books), (sales, vec![]));
}

#[test]
fn nobody_is_told_sold_out_while_a_ticket_is_free() {
    let (answers, mut books) = sold_out();
    books.tickets.push(ticket(3, TicketStatus::Available, None));
    let refused = Breach::RefusedWhileFree { refused: 1, free: 1 };
    assert_eq!(breaches(&answers, &books), [refused]);
    // It may have been sold then, where orders end meanwhile.
    let answers = Answers {
        gives_back: true,
        ..answers
    };
    assert_eq!(breaches(&answers, &books), []);
}

#[test]
fn nobody_is_told_that_a_free_ticket_is_reserved() {
    let (mut answers, mut books) = sold_out();
    answers.sold_out = 0;
    answers.taken = [ticket_id(1), ticket_id(3)].into();
    books.tickets.push(ticket(3, TicketStatus::Available, None));
    assert_eq!(
        breaches(&answers, &books),
        [Breach::RefusedThoughFree(ticket_id(3))]
    );
    answers.gives_back = true;
    assert_eq!(breaches(&answers, &books), []);
}

#[test]
fn a_ticket_has_one_buyer() {
    let (mut answers, mut books) = sold_out();
    answers.claims.push(claim(3, Told::Reserved));
    books.orders.extend([order(3, 2, StatusWord::Created)]);
    let found = breaches(&answers, &books);
    assert!(
        found.contains(&Breach::SoldTwice(ticket_id(2), order_id(2), order_id(3))),
        "{found:?}"
    );
}

#[test]
fn what_was_answered_with_201_is_there() {
    let (answers, mut books) = sold_out();
    books.orders.remove(&order_id(2));
    assert!(breaches(&answers, &books).contains(&Breach::OrderGone(order_id(2))));
}

#[test]
fn an_order_is_what_its_buyer_was_told() {
    for (told, status, expected) in [
        (Told::Paid, StatusWord::Created, Some("paid")),
        (Told::Cancelled, StatusWord::Created, Some("given up")),
        (Told::Reserved, StatusWord::Cancelled, Some("held")),
        (Told::Reserved, StatusWord::Complete, Some("unpaid")),
        (Told::Unsure, StatusWord::Complete, None),
        (Told::Cancelled, StatusWord::Cancelled, None),
    ] {
        let (mut answers, mut books) = sold_out();
        answers.claims[1] = claim(2, told);
        books.orders.extend([order(2, 2, status)]);
        let differs = breaches(&answers, &books)
            .into_iter()
            .find_map(|breach| match breach {
                Breach::OrderDiffers(_, told) => Some(told),
                _ => None,
            });
        assert_eq!(differs, expected, "{told:?} {status:?}");
    }
}

#[test]
fn the_list_agrees_with_the_orders() {
    for wrong in [
        ticket(2, TicketStatus::Available, None),
        ticket(2, TicketStatus::Sold, Some(2)),
        ticket(2, TicketStatus::Reserved, Some(1)),
    ] {
        let (answers, mut books) = sold_out();
        books.tickets[1] = wrong;
        assert!(breaches(&answers, &books).contains(&Breach::ListDiffers(ticket_id(2))));
    }
    let (answers, mut books) = sold_out();
    books.tickets.remove(1);
    let foreign = Breach::ForeignTicket(order_id(2), ticket_id(2));
    assert_eq!(breaches(&answers, &books), [foreign]);
}

#[test]
fn a_ticket_that_nobody_claimed_is_explained_by_an_unknown_outcome_alone() {
    let (mut answers, mut books) = sold_out();
    books.tickets.push(ticket(3, TicketStatus::Reserved, Some(7)));
    let nobody = Breach::HeldByNobody { held: 1, unknown: 0 };
    assert_eq!(breaches(&answers, &books), [nobody]);
    answers.unknown = 1;
    let (sales, breaches) = audit(&answers, &books);
    assert_eq!((sales.held, breaches), (3, vec![]));
}
