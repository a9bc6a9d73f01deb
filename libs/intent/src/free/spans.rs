//! Lines from one to another, which are told by what they hold.

use actions::quote::quote;

use super::lines::{Pipe, literal};
use super::said::Said;

/// Which lines by what others hold: "from the line with x on".
pub(super) fn spans(s: &Said<'_>, p: &mut Pipe) {
    // From a line that holds something on, up to one, between two.
    const HOLDS: &str = "line|row|one that|which? contains|containing|with|matching|has|having|starting|starts|beginning|begins|of with? word|string|text|pattern? $";
    if let Some(f) = s.take(&format!("from|between first? {HOLDS} to|through|until|and|till first|next? {HOLDS}")) {
        p.on_files(format!("sed -n {}", quote(&format!("/{}/,/{}/p", literal(&s.text(f.at[0])), literal(&s.text(f.at[1]))))), "from the one line to the other");
        return;
    }
    if let Some(f) = s.take(&format!("from|starting|beginning from|at|with? first? {HOLDS} up? to|until|till|through end|last of? file|line?")).or_else(|| s.take(&format!("from first? {HOLDS} on|onwards|onward"))).or_else(|| s.take(&format!("everything|all|lines from first? {HOLDS}"))) {
        s.each(&["inclusive|included|end|of file"]);
        p.on_files(format!("sed -n {}", quote(&format!("/{}/,$p", literal(&s.text(f.at[0]))))), format!("from the line with {} on", s.raw(f.at[0])));
        return;
    }
    if let Some(f) = s.take(&format!("everything|all|lines|text after first? {HOLDS}")) {
        p.on_files(format!("sed {}", quote(&format!("1,/{}/d", literal(&s.text(f.at[0]))))), format!("what comes after the line with {}", s.raw(f.at[0])));
        return;
    }
    if let Some(f) = s.take(&format!("everything|all|lines|text before first? {HOLDS}")) {
        p.on_files(format!("sed {}", quote(&format!("/{}/,$d", literal(&s.text(f.at[0]))))), format!("what comes before the line with {}", s.raw(f.at[0])));
        return;
    }
    if let Some(f) = s.take(&format!("up to|until first? {HOLDS}")).or_else(|| s.take(&format!("until first? {HOLDS}"))) {
        p.on_files(format!("sed {}", quote(&format!("/{}/q", literal(&s.text(f.at[0]))))), format!("up to the line with {}", s.raw(f.at[0])));
    }
}
