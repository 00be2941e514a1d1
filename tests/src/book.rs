//! The documentation's commands: each is run as a reader would run it, or says why it is not.
//!
//! A page is Markdown. Its blocks of `sh` are run from top to bottom by one shell, in a folder that looks like a fresh clone
//! with a built `bigtix`; so are the lines of its `console` blocks that begin with `$`. What a page shows after a command is
//! compared with what the command said. `<!-- sh` ... `-->` holds commands that a reader does not need to see, such as
//! starting the shop that a guide is about.
//!
//! * [`page`]: the blocks of a page, and the closed list of reasons for not running one.
//! * [`steps`]: what is run, in order, and what it has to say.
//! * [`shown`]: whether a command said what the page shows.
//! * [`run`]: the shell and its folder.
//! * [`shell`]: the commands of a text, without running it.
//! * [`manual`]: the page that is made of what the program says of itself.
//! * [`named`]: whether what commands name is there: subcommands, flags, files, targets of make.

pub mod manual;
pub mod named;
pub mod page;
pub mod run;
pub mod shell;
pub mod shown;
pub mod steps;
