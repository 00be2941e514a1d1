//! The lists of an account.

use std::collections::{HashMap, VecDeque};

use super::params::Page;

/// Rows by id, in the order in which they came.
#[derive(Debug)]
pub(crate) struct Table<T> {
    rows: VecDeque<(String, T)>,
    /// How many rows there were before the first one that is left.
    forgotten: usize,
    /// Counted from the first row that ever was.
    places: HashMap<String, usize>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self {
            rows: VecDeque::new(),
            forgotten: 0,
            places: HashMap::new(),
        }
    }
}

impl<T> Table<T> {
    pub(crate) fn insert(&mut self, id: &str, row: T) {
        self.places
            .insert(id.to_owned(), self.forgotten + self.rows.len());
        self.rows.push_back((id.to_owned(), row));
    }

    /// As [`Self::insert`]; forgets the oldest row when there are more than `most`.
    pub(crate) fn insert_among(&mut self, most: usize, id: &str, row: T) {
        self.insert(id, row);
        if self.rows.len() > most
            && let Some((oldest, _)) = self.rows.pop_front()
        {
            self.places.remove(&oldest);
            self.forgotten += 1;
        }
    }

    fn place(&self, id: &str) -> Option<usize> {
        Some(self.places.get(id)? - self.forgotten)
    }

    pub(crate) fn get(&self, id: &str) -> Option<&T> {
        self.place(id).map(|place| &self.rows[place].1)
    }

    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut T> {
        self.place(id).map(|place| &mut self.rows[place].1)
    }

    pub(crate) fn rows(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.rows.iter().map(|(_, row)| row)
    }

    /// One page, newest first, and whether there is more.
    pub(crate) fn page(
        &self,
        page: &Page,
        fits: impl Fn(&T) -> bool,
        created: impl Fn(&T) -> i64,
    ) -> (Vec<&T>, bool) {
        let place = |id: &Option<String>| id.as_ref().and_then(|id| self.place(id));
        let below = place(&page.starting_after).unwrap_or(self.rows.len());
        let above = place(&page.ending_before).map_or(0, |place| place + 1);
        let (oldest, newest) = page.created;
        let fits = |row: &&T| fits(row) && (oldest..=newest).contains(&created(row));
        let within = self.rows.range(above.min(below)..below).map(|(_, row)| row);
        let mut found: Vec<&T> = if page.ending_before.is_some() {
            within.filter(fits).take(page.limit + 1).collect()
        } else {
            within.rev().filter(fits).take(page.limit + 1).collect()
        };
        let more = found.len() > page.limit;
        found.truncate(page.limit);
        if page.ending_before.is_some() {
            found.reverse();
        }
        (found, more)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_with_a_bound_forgets_the_oldest_rows_and_finds_the_others_where_they_were() {
        let mut table = Table::default();
        for number in 1..=5 {
            table.insert_among(3, &number.to_string(), number);
        }
        assert_eq!(
            (table.get("2"), table.get("3"), table.get("5")),
            (None, Some(&3), Some(&5))
        );
        let page = Page {
            limit: 2,
            starting_after: Some("5".into()),
            ..Page::default()
        };
        assert_eq!(table.page(&page, |_| true, |_| 0), (vec![&4, &3], false));
    }
}
