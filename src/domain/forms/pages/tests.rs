//! Laws of reading pages.
