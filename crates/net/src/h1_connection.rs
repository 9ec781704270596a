//! Drives the h1 codec over one connection.
//! Start reading at `BodyReader`.
//! Used by the listener.
//! Gives `BodyReader`.
use crate::BodyFault;
pub(crate) struct BodyReader<'a>(pub(crate) &'a ());
impl BodyReader<'_> {
    pub(crate) async fn read(&mut self, _max: usize) -> Result<Vec<u8>, BodyFault> {
        Ok(Vec::new())
    }
}
