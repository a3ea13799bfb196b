//! Whether the locale takes all letters: the first of `LC_ALL`, `LC_CTYPE` and `LANG` that is set says so, as POSIX has it.

use crate::base::charset::Charset;

/// What the locale takes. Where none is named nobody chose one, as in most containers, and what reads their logs takes UTF-8.
pub(super) fn told(get: &impl Fn(&str) -> Option<String>) -> Charset {
    let named = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| get(name));
    let is_utf8 = |locale: String| {
        let locale = locale.to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    };
    if named.is_none_or(is_utf8) { Charset::All } else { Charset::Ascii }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_variable_that_is_set_decides() {
        let told_by = |pairs: &[(&str, &str)]| {
            told(&|name: &str| {
                pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
            })
        };
        assert_eq!(told_by(&[]), Charset::All);
        assert_eq!(told_by(&[("LANG", "de_DE.UTF-8")]), Charset::All);
        assert_eq!(told_by(&[("LANG", "C.utf8")]), Charset::All);
        assert_eq!(told_by(&[("LANG", "de_DE.ISO-8859-1")]), Charset::Ascii);
        assert_eq!(told_by(&[("LC_ALL", "C"), ("LANG", "de_DE.UTF-8")]), Charset::Ascii);
        assert_eq!(told_by(&[("LC_CTYPE", "C.UTF-8"), ("LANG", "POSIX")]), Charset::All);
    }
}
