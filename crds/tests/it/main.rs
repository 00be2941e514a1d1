//! The resource from outside: the definition, the examples, and what every field means when it is left out.

mod definition;
mod examples;
mod files;
mod omitted;
mod one_machine;
mod parsing;
mod platform;
mod reference;
mod releases;
