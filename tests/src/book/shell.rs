//! The commands of a shell text, without running it: words, and the files that are written. As much of the language as
//! the documentation uses. Pure.

use std::iter::Peekable;
use std::str::Chars;

/// A simple command.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Command {
    /// Its words without quotes; what the shell would put in is a `$`.
    pub words: Vec<String>,
    /// Files that its output goes to.
    pub writes: Vec<String>,
}

impl Command {
    /// Files that are there afterwards.
    pub fn makes(&self) -> impl Iterator<Item = &String> {
        let Self { words, writes } = self;
        let copied = match words.as_slice() {
            [program, .., to] if program == "cp" => Some(to),
            _ => None,
        };
        writes.iter().chain(copied)
    }
}

/// Words after which a command begins.
const BEFORE_COMMANDS: [&str; 9] = ["do", "then", "else", "if", "while", "until", "!", "{", "exec"];

/// All commands of a text, those inside of `$(...)` and of loops too.
pub fn commands(text: &str) -> Vec<Command> {
    let mut reader = Reader {
        rest: text.chars().peekable(),
        found: Vec::new(),
        documents: Vec::new(),
    };
    reader.list();
    reader.found
}

/// What becomes of the word that is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Word,
    Written,
    Read,
    DocumentEnd,
}

struct Reader<'a> {
    rest: Peekable<Chars<'a>>,
    found: Vec<Command>,
    /// The last lines of here-documents that begin after this line.
    documents: Vec<String>,
}

/// A command that is being read.
struct Open {
    command: Command,
    /// `None` between words.
    word: Option<String>,
    role: Role,
}

impl Open {
    fn new() -> Self {
        Self {
            command: Command::default(),
            word: None,
            role: Role::Word,
        }
    }

    fn push(&mut self, character: char) {
        self.word.get_or_insert_default().push(character);
    }
}

impl Reader<'_> {
    /// Reads to the end of the text, or behind the `)` that ends this list.
    fn list(&mut self) {
        let mut open = Open::new();
        while let Some(character) = self.rest.next() {
            match character {
                '\\' => match self.rest.next() {
                    Some('\n') | None => {}
                    Some(escaped) => open.push(escaped),
                },
                ' ' | '\t' => self.end_word(&mut open),
                '#' if open.word.is_none() => while self.rest.next_if(|next| *next != '\n').is_some() {},
                '\'' => self.quoted(&mut open),
                '"' => self.double_quoted(&mut open),
                '$' => self.dollar(&mut open),
                '>' => self.output(&mut open),
                '<' => self.input(&mut open),
                '(' => {
                    self.end(&mut open);
                    self.list();
                }
                ')' => break,
                '|' | '&' | ';' => self.end(&mut open),
                '\n' => {
                    self.end(&mut open);
                    self.skip_documents();
                }
                other => open.push(other),
            }
        }
        self.end(&mut open);
    }

    fn quoted(&mut self, open: &mut Open) {
        open.word.get_or_insert_default();
        for inside in self.rest.by_ref().take_while(|next| *next != '\'') {
            open.push(inside);
        }
    }

    fn double_quoted(&mut self, open: &mut Open) {
        open.word.get_or_insert_default();
        while let Some(inside) = self.rest.next() {
            match inside {
                '"' => break,
                '\\' => open.word.get_or_insert_default().extend(self.rest.next()),
                '$' => self.dollar(open),
                other => open.push(other),
            }
        }
    }

    fn dollar(&mut self, open: &mut Open) {
        open.push('$');
        if self.rest.next_if_eq(&'(').is_some() {
            self.list();
        } else if self.rest.next_if_eq(&'{').is_some() {
            self.rest.by_ref().take_while(|next| *next != '}').for_each(drop);
        }
    }

    fn output(&mut self, open: &mut Open) {
        // `2>` is no word.
        let is_number = |word: &String| word.chars().all(|c| c.is_ascii_digit());
        open.word = open.word.take().filter(|word| !is_number(word));
        self.end_word(open);
        self.rest.next_if_eq(&'>');
        if self.rest.next_if_eq(&'&').is_some() {
            self.rest.next_if(char::is_ascii_digit);
        } else {
            open.role = Role::Written;
        }
    }

    fn input(&mut self, open: &mut Open) {
        self.end_word(open);
        open.role = match self.rest.next_if_eq(&'<') {
            Some(_) => Role::DocumentEnd,
            None => Role::Read,
        };
    }

    fn end_word(&mut self, open: &mut Open) {
        let Some(word) = open.word.take() else { return };
        match open.role {
            Role::Word => open.command.words.push(word),
            Role::Written => open.command.writes.push(word),
            Role::DocumentEnd => self.documents.push(word),
            Role::Read => {}
        }
        open.role = Role::Word;
    }

    fn end(&mut self, open: &mut Open) {
        self.end_word(open);
        let mut command = std::mem::take(&mut open.command);
        let is_before = |word: &String| BEFORE_COMMANDS.contains(&word.as_str()) || is_assignment(word);
        let first = command.words.iter().take_while(|word| is_before(word)).count();
        command.words.drain(..first);
        if command != Command::default() {
            self.found.push(command);
        }
    }

    fn skip_documents(&mut self) {
        for end in std::mem::take(&mut self.documents) {
            loop {
                let line: String = self.rest.by_ref().take_while(|next| *next != '\n').collect();
                if line.trim() == end || self.rest.peek().is_none() {
                    break;
                }
            }
        }
    }
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        commands(text)
            .iter()
            .map(|command| command.words.join(" "))
            .collect()
    }

    #[test]
    fn commands_are_found_wherever_they_are() {
        assert_eq!(
            words("a b \\\n  c # d\ne | f; g && h"),
            ["a b c", "e", "f", "g", "h"]
        );
        assert_eq!(
            words("x=$(a 'b c' | d) e \"$(f \"g\")\""),
            ["a b c", "d", "f g", "e $"]
        );
        assert_eq!(
            words("for n in a b; do\n  cp \"t/$n\" u\ndone"),
            ["for n in a b", "cp t/$n u", "done"]
        );
        assert_eq!(words("post() { curl -s \"$1\"; }"), ["post", "curl -s $1", "}"]);
        assert_eq!(words("A=1 B=\"2 3\" make x"), ["make x"]);
    }

    #[test]
    fn a_copy_is_there_afterwards() {
        let copied = commands("cp a b > c");
        assert_eq!(copied[0].makes().collect::<Vec<_>>(), ["c", "b"]);
    }

    #[test]
    fn files_that_are_written_are_told_and_here_documents_are_no_commands() {
        let found = commands("cat > kind.yaml <<'END'\nkind: --not a flag\nEND\nmake x 2>/dev/null >&2\n");
        let seen: Vec<_> = found
            .iter()
            .map(|c| (c.words.join(" "), c.writes.join(" ")))
            .collect();
        let expected = [("cat", "kind.yaml"), ("make x", "/dev/null")];
        assert_eq!(seen, expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
    }
}
