//! Pictures for events that have none: a pattern that follows from the event alone, so that it is always the same one.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

/// Part of each picture's address. It changes when the same seed comes to look otherwise.
pub(crate) const EDITION: u32 = 1;
const WIDTH: u32 = 600;
const HEIGHT: u32 = 300;

/// What a picture is made of: 64 bits that follow from what it stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seed(u64);

impl Seed {
    /// The seed of the thing with this id and title.
    pub(crate) fn of(id: &str, title: &str) -> Self {
        let digest = Sha256::digest([id.as_bytes(), b"\n", title.as_bytes()].concat());
        let first: [u8; 8] = std::array::from_fn(|place| digest[place]);
        Self(u64::from_be_bytes(first))
    }

    /// Where the picture is served. It never changes under its address.
    pub(crate) fn path(self) -> String {
        format!("/art/{EDITION}-{:016x}.svg", self.0)
    }

    /// The seed in the last part of such a path.
    pub(crate) fn in_file_name(name: &str) -> Option<Self> {
        let (edition, rest) = name.split_once('-')?;
        let digits = rest.strip_suffix(".svg")?;
        let is_ours = edition.parse() == Ok(EDITION)
            && digits.len() == 16
            && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        is_ours.then(|| u64::from_str_radix(digits, 16).ok().map(Self))?
    }

    /// The picture, 600 by 300.
    pub(crate) fn draw(self) -> String {
        let mut dice = Dice(self.0 | 1);
        let palette = Palette::pick(&mut dice);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" height=\"{HEIGHT}\">\
             <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"{}\"/>",
            palette.ground
        );
        match dice.below(4) {
            0 => rays(&mut svg, &mut dice, palette),
            1 => rings(&mut svg, &mut dice, palette),
            2 => waves(&mut svg, &mut dice, palette),
            _ => bars(&mut svg, &mut dice, palette),
        }
        svg.push_str("</svg>");
        svg
    }
}

/// A sequence of numbers that follows from its seed (xorshift, multiplied).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, bound: u32) -> u32 {
        u32::try_from((self.next() >> 33) % u64::from(bound)).unwrap_or_default()
    }

    fn between(&mut self, low: u32, high: u32) -> u32 {
        low + self.below(high - low + 1)
    }
}

/// Colours that go together: a ground and three inks, as a poster is printed.
struct Palette {
    ground: &'static str,
    inks: [&'static str; 3],
}

/// Chosen by eye, so that no two neighbours on a page shout at each other.
const PALETTES: [Palette; 10] = [
    Palette::of("#0f3b30", ["#2c7a5b", "#e8b84a", "#f4dc93"]),
    Palette::of("#5a1f1a", ["#b5432f", "#f0a35e", "#f7e1b0"]),
    Palette::of("#16304f", ["#2f6690", "#f2b880", "#f6e7c8"]),
    Palette::of("#3a1d3f", ["#7b3b6f", "#e58f65", "#f4d9b0"]),
    Palette::of("#0e3d46", ["#1f7a86", "#ee8f6b", "#fbe3c0"]),
    Palette::of("#4a3208", ["#9c6b12", "#e9c25a", "#f9ecc6"]),
    Palette::of("#26313a", ["#56707f", "#e6a0a0", "#f5e3da"]),
    Palette::of("#111f3a", ["#34508f", "#8fd0b0", "#e6f4d8"]),
    Palette::of("#4a1626", ["#8e2f45", "#7fb7a8", "#f3e5c4"]),
    Palette::of("#2e3413", ["#6d7a2c", "#d9b65b", "#f3ebcf"]),
];

impl Palette {
    const fn of(ground: &'static str, inks: [&'static str; 3]) -> Self {
        Self { ground, inks }
    }

    fn pick(dice: &mut Dice) -> &'static Self {
        &PALETTES[dice.below(u32::MAX) as usize % PALETTES.len()]
    }

    fn ink(&self, place: u32) -> &'static str {
        self.inks[place as usize % self.inks.len()]
    }
}

fn put(svg: &mut String, shape: std::fmt::Arguments<'_>) {
    svg.write_fmt(shape).expect("writing into a string cannot fail");
}

/// Beams from a lamp above the stage.
fn rays(svg: &mut String, dice: &mut Dice, palette: &Palette) {
    let (x, count) = (dice.between(120, WIDTH - 120), dice.between(6, 9));
    for number in 0..count {
        let left = number * (WIDTH + 240) / count;
        let width = dice.between(30, 70);
        put(
            svg,
            format_args!(
                "<path d=\"M{x} -40L{} {HEIGHT}H{}Z\" fill=\"{}\" opacity=\".{}\"/>",
                i64::from(left) - 120,
                i64::from(left + width) - 120,
                palette.ink(number),
                dice.between(35, 80)
            ),
        );
    }
    put(
        svg,
        format_args!(
            "<circle cx=\"{x}\" cy=\"0\" r=\"46\" fill=\"{}\"/>",
            palette.ink(2)
        ),
    );
}

/// A sound that spreads.
fn rings(svg: &mut String, dice: &mut Dice, palette: &Palette) {
    let (x, y) = (dice.between(160, WIDTH - 160), dice.between(90, HEIGHT - 90));
    let (step, width) = (dice.between(34, 52), dice.between(10, 22));
    for number in (0..9).rev() {
        put(
            svg,
            format_args!(
                "<circle cx=\"{x}\" cy=\"{y}\" r=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{width}\" opacity=\".{}\"/>",
                24 + number * step,
                palette.ink(number),
                90 - number * 7
            ),
        );
    }
}

/// Hills, or a tune.
fn waves(svg: &mut String, dice: &mut Dice, palette: &Palette) {
    for number in 0..5 {
        let top = 60 + number * 48;
        let (rise, fall) = (dice.between(20, 90), dice.between(20, 90));
        put(
            svg,
            format_args!(
                "<path d=\"M0 {top}C150 {} 300 {} 380 {top}S520 {} 600 {top}V{HEIGHT}H0Z\" fill=\"{}\" opacity=\".{}\"/>",
                i64::from(top) - i64::from(rise),
                top + fall,
                i64::from(top) - i64::from(fall),
                palette.ink(number),
                45 + number * 10
            ),
        );
    }
}

/// A skyline, or the bars of a mixing desk.
fn bars(svg: &mut String, dice: &mut Dice, palette: &Palette) {
    let width = dice.between(28, 44);
    for number in 0..=WIDTH / (width + 8) {
        let height = dice.between(60, HEIGHT - 60);
        put(
            svg,
            format_args!(
                "<rect x=\"{}\" y=\"{}\" width=\"{width}\" height=\"{height}\" rx=\"6\" fill=\"{}\" opacity=\".{}\"/>",
                number * (width + 8),
                HEIGHT - height,
                palette.ink(dice.below(3)),
                dice.between(60, 95)
            ),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_same_event_has_the_same_picture_and_another_one_another() {
        let one = Seed::of("64b0c0ffee0000000000beef", "Symphony No. 9");
        assert_eq!(one, Seed::of("64b0c0ffee0000000000beef", "Symphony No. 9"));
        assert_eq!(one.draw(), one.draw());
        for other in [
            Seed::of("64b0c0ffee0000000000beee", "Symphony No. 9"),
            Seed::of("64b0c0ffee0000000000beef", "Symphony No. 8"),
        ] {
            assert_ne!(one.draw(), other.draw());
        }
    }

    #[test]
    fn a_path_leads_back_to_its_seed_and_nothing_else_does() {
        let seed = Seed::of("a", "b");
        let path = seed.path();
        assert_eq!(
            Seed::in_file_name(path.strip_prefix("/art/").unwrap()),
            Some(seed)
        );
        for name in [
            "",
            "1-",
            "2-0123456789abcdef.svg",
            "1-0123456789ABCDEF.svg",
            "1-+123456789abcde.svg",
            "1-01.svg",
        ] {
            assert_eq!(Seed::in_file_name(name), None, "{name}");
        }
    }

    proptest! {
        #[test]
        fn every_seed_gives_a_small_picture_that_is_well_formed(seed: u64) {
            let svg = Seed(seed).draw();
            prop_assert!(svg.starts_with("<svg xmlns=") && svg.ends_with("</svg>"));
            prop_assert!(svg.len() < 4_000, "{}", svg.len());
            prop_assert_eq!(svg.matches('<').count(), svg.matches('>').count());
            prop_assert!(!svg.contains("opacity=\".-") && !svg.contains("script"));
        }

        #[test]
        fn no_file_name_makes_it_panic(name in "\\PC*") {
            let _ = Seed::in_file_name(&name);
        }
    }
}
