//! The one way of thinking: [`read`] turns bytes into a [`Reading`], which says what must be looked up; [`decide`] turns the
//! reading and what is known into a [`Verdict`]. Both are pure: the same bytes and the same knowledge give the same verdict.
