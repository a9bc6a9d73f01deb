//! Which token comes next.

use genai_protocol::{Completion, ErrorCode};
use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::sampling::LlamaSampler;
use llama_cpp_2::token::LlamaToken;
use llama_cpp_2::token::data::LlamaTokenData;
use llama_cpp_2::token::data_array::LlamaTokenDataArray;

use crate::model::Failed;

/// Chooses tokens as a request wants them: the likeliest or at random, and such that its grammar is obeyed.
pub struct Choice {
    grammar: Option<LlamaSampler>,
    /// `None`: the likeliest.
    random: Option<LlamaSampler>,
}

impl Choice {
    /// For a request.
    pub fn new(model: &LlamaModel, c: &Completion) -> Result<Choice, Failed> {
        let grammar = c.grammar.as_deref().map(|g| LlamaSampler::grammar(model, g, "root")).transpose().map_err(|e| Failed(ErrorCode::BadRequest, format!("the grammar: {e}")))?;
        let random = (c.temperature > 0.0).then(|| LlamaSampler::chain_simple([LlamaSampler::top_k(40), LlamaSampler::top_p(0.95, 1), LlamaSampler::temp(c.temperature), LlamaSampler::dist(c.seed)]));
        Ok(Choice { grammar, random })
    }

    /// The next token, and the logarithm of the probability that the model gave it.
    pub fn next(&mut self, logits: &[f32]) -> Result<(LlamaToken, f64), Failed> {
        let mut token = self.among(logits.iter().copied())?;
        // To try all tokens of a vocabulary on a grammar takes longer than computing one: mostly the model's own choice fits.
        if let Some(grammar) = &mut self.grammar
            && !accepts(grammar, token)
        {
            let mut all = array(logits.iter().copied());
            grammar.apply(&mut all);
            let mut allowed = vec![f32::NEG_INFINITY; logits.len()];
            for one in &all.data {
                if let Some(at) = usize::try_from(one.id().0).ok().and_then(|i| allowed.get_mut(i)) {
                    *at = one.logit();
                }
            }
            if allowed.iter().all(|l| *l == f32::NEG_INFINITY) {
                return Err(Failed(ErrorCode::Backend, "the grammar allows nothing that the model could write".to_owned()));
            }
            token = self.among(allowed.into_iter())?;
        }
        if let Some(grammar) = &mut self.grammar {
            grammar.accept(token);
        }
        Ok((token, log_probability(logits, token)))
    }

    fn among(&mut self, logits: impl Iterator<Item = f32>) -> Result<LlamaToken, Failed> {
        let chosen = match &mut self.random {
            None => logits.zip(0..).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, id)| LlamaToken::new(id)),
            Some(sampler) => {
                let mut all = array(logits);
                all.data.retain(|one| one.logit() > f32::NEG_INFINITY);
                sampler.apply(&mut all);
                all.selected_token()
            }
        };
        chosen.ok_or_else(|| Failed(ErrorCode::Backend, "no token can be chosen".to_owned()))
    }
}

fn array(logits: impl Iterator<Item = f32>) -> LlamaTokenDataArray {
    LlamaTokenDataArray::from_iter(logits.zip(0..).map(|(logit, id)| LlamaTokenData::new(LlamaToken::new(id), logit, 0.0)), false)
}

fn accepts(grammar: &mut LlamaSampler, token: LlamaToken) -> bool {
    let mut one = LlamaTokenDataArray::from_iter([LlamaTokenData::new(token, 1.0, 0.0)], false);
    grammar.apply(&mut one);
    one.data.first().is_some_and(|it| it.logit() > f32::NEG_INFINITY)
}

fn log_probability(logits: &[f32], token: LlamaToken) -> f64 {
    let top = logits.iter().copied().fold(f32::MIN, f32::max);
    let sum: f64 = logits.iter().map(|l| f64::from((l - top).exp())).sum();
    usize::try_from(token.0).ok().and_then(|i| logits.get(i)).map_or(0.0, |l| f64::from(l - top) - sum.ln())
}
