//! A mistake of the operator's: what is wrong in which file, at which place, and how to mend it.
//! Exports `Mistake`. Rendered with a snippet by the binary; rooms only fill it.
//! Used by contract, policy, identity, waf and config while they compile.
//! Start reading at `Mistake`.

/// One thing wrong in a configuration file, a contract or a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// File, relative to the configuration directory. Empty when the compiling room does not know it.
    pub file: String,
    /// Byte offset and length of the place in the file, where known.
    pub span: Option<(usize, usize)>,
    /// Line from 1, where only the line is known.
    pub line: Option<u32>,
    /// JSON pointer inside the document, where that is all the room knows; config turns it into a span.
    pub pointer: Option<String>,
    /// What is wrong: one sentence without a full stop.
    pub message: String,
    /// How to mend it.
    pub help: String,
}

impl Mistake {
    /// A mistake whose place is filled in by the caller.
    pub fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Mistake {
            file: String::new(),
            span: None,
            line: None,
            pointer: None,
            message: message.into(),
            help: help.into(),
        }
    }

    /// The file it stands in.
    #[must_use]
    pub fn in_file(mut self, file: impl Into<String>) -> Self {
        self.file = file.into();
        self
    }

    /// Byte offset and length in the file.
    #[must_use]
    pub fn at(mut self, start: usize, len: usize) -> Self {
        self.span = Some((start, len));
        self
    }

    /// JSON pointer in the document.
    #[must_use]
    pub fn at_pointer(mut self, pointer: impl Into<String>) -> Self {
        self.pointer = Some(pointer.into());
        self
    }

    /// Line from 1.
    #[must_use]
    pub fn at_line(mut self, line: u32) -> Self {
        self.line = Some(line);
        self
    }
}
