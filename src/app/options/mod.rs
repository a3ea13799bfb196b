//! The options of a run: which flag and which variable fill each, how their text is read, and which of them wins.
//!
//! A new option is a field of `RunOptions` and a row of the table. The command line makes its flags of the rows, and
//! `app/settings` reads their variables.

pub(crate) mod field;
pub(crate) mod precedence;
mod read;
pub(crate) mod row;
pub(crate) mod table;
