//! Parts of lines that are known by their form: addresses, numbers, and the two sides of an equals sign; and lines that become one.

use actions::quote::quote;

use super::lines::{Pipe, literal, replacement};
use super::said::Said;

/// What is known by its form: how it is asked for, the form, and words for it.
pub(super) const SHAPES: [(&[&str], &str, &str); 5] = [
    (&["ip addresses|address|ips?", "ipv4 addresses|address", "ips"], r"([0-9]{1,3}\.){3}[0-9]{1,3}", "the addresses"),
    (&["email addresses|address|emails?", "e-mail addresses|address", "emails|e-mails", "mail addresses"], r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}", "the mail addresses"),
    (&["urls|url|links", "web addresses|address"], r#"https?://[^[:space:]"<>]+"#, "the addresses of pages"),
    (&["extract all|every|each? numbers|integers", "only? numbers that? occur|appear|occurring|contained|found", "all|every|each numbers|integers that|in|from"], "[0-9]+", "the numbers"),
    (&["dates"], "[0-9]{4}-[0-9]{2}-[0-9]{2}", "the dates"),
];

/// Parts of lines by their form.
pub(super) fn extract(s: &Said<'_>, p: &mut Pipe, file: &str) {
    for (patterns, regex, words) in SHAPES {
        if s.any(patterns) {
            s.each(&["extract|extracting|only", "occur|occurring|appear|contained|found"]);
            p.on_files(format!("grep -oE '{regex}'"), words);
            return;
        }
    }
    // Both sides of an equals sign.
    if s.any(&["only? part before equals|equal sign|=", "only? keys|key of|from|in?", "part left|before|left|of of? equals sign"]) {
        s.each(&["part before|left equals|equal sign|=?", "only", "keys|names|key", "before equals sign|="]);
        p.on_files("sed -nE 's/^[[:space:]]*([^#=[:space:]][^=]*[^=[:space:]]|[^#=[:space:]])[[:space:]]*=.*/\\1/p'", "the parts before the equals sign");
    } else if s.any(&["only? part after equals|equal sign|=", "only? values part? after equals|equal sign|=", "values|value|part|text|everything|all|what that? stands|stand|comes|come|is|are? after|behind|following|follows|right of? of? equals|equal|= sign|signs?", "values|value only|but|without and? not|without? keys|names?"]) {
        p.on_files("sed -nE 's/^[^#=]+=[[:space:]]*//p'", "the parts after the equals sign");
    } else if let Some(f) = s.take("value of key|setting|option|variable|parameter|field|property? $ from|in?").or_else(|| s.take("value|setting that? key|setting|option? $ has|is|set")).or_else(|| s.take("what is|value? $ set to")) {
        let k = s.raw(f.at[0]).to_owned();
        if k.chars().all(|c| c.is_alphanumeric() || "_-.".contains(c)) && !file.ends_with(".json") {
            p.on_files(format!("sed -nE 's/^[[:space:]]*{}[[:space:]]*[=:][[:space:]]*//p'", literal(&k)), format!("the value of {k}"));
        }
    }
}

/// All lines as one.
pub(super) fn join(s: &Said<'_>, p: &mut Pipe) {
    if s.any(&["join|joining|joined|merge|combine|concatenate|put|joins all|every? lines|it|them|line|everything? of|in|into? to? as? one|single|a? single? line", "into|on|in|as one|single|a single? line", "as comma-separated|comma separated list", "join all|every? lines", "all on? one line", "lines? joined"]) {
        s.each(&["join|joined|put|all|lines|line|values|together"]);
        let sep = s.take("separated|delimited|joined|divided|separating|with by|with|them? single|a? $ between? them|lines?").map(|f| s.text(f.at[0])).or_else(|| s.any(&["comma-separated|comma separated"]).then(|| ",".into())).or_else(|| s.take("with|using $ between|as them|lines|separator|delimiter?").map(|f| s.text(f.at[0])));
        let sep = sep.unwrap_or_else(|| " ".into());
        s.each(&["list", "between them|lines"]);
        if sep.chars().count() <= 1 && !sep.is_empty() {
            p.on_input(format!("paste -s -d {}", quote(&sep)), "on one line");
        } else {
            p.on_input(format!("paste -s -d '\\t' | sed {}", quote(&format!("s/\\t/{}/g", replacement(&sep)))), "on one line");
        }
    }
}
