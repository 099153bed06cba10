//! The unified social credit code (GB 32100-2015) and the organisation code inside it (GB 11714).
