//! The trust rule against forged, mauled, misplaced and replayed lists and certificates (D-1, D-5, T14): whatever is not what the
//! account's key says changes nothing.
