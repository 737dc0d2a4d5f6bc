//! What a contact agreed to, and its proof.

use serde::{Deserialize, Serialize};

/// How somebody agreed, or took it back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentProof {
    /// When it was said, in milliseconds since 1970.
    pub at_ms: i64,
    /// How it came about: `keyword`, `user_preferences`, `form`, `import`, ...
    pub source: String,
    /// By which word, form or file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// The last words of a contact about being written to. They come in any order and more than
/// once; whatever the order, the same record comes of them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ConsentRecord {
    /// The last proof that they agreed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opt_in: Option<ConsentProof>,
    /// Their opt-out, unless they came back after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opt_out: Option<ConsentProof>,
    /// When they, or the owner for them, last lifted an opt-out, in milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resumed_ms: Option<i64>,
}

impl ConsentRecord {
    /// Whether there is nothing to keep.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// They want no more messages; answers whether that stands, since they may have come
    /// back later.
    pub fn opt_out(&mut self, proof: ConsentProof) -> bool {
        if self.resumed_ms.is_some_and(|resumed| resumed > proof.at_ms) {
            return false;
        }
        self.opt_out = later(self.opt_out.take(), Some(proof));
        true
    }

    /// They want messages again; answers whether that stands.
    pub fn resume(&mut self, proof: ConsentProof) -> bool {
        let stands = self.lift(proof.at_ms);
        self.opt_in = later(self.opt_in.take(), Some(proof));
        stands
    }

    /// The business takes an opt-out back that was none of theirs, which proves no consent;
    /// answers whether that stands.
    pub fn lift(&mut self, at_ms: i64) -> bool {
        self.resumed_ms = self.resumed_ms.max(Some(at_ms));
        self.opt_out.take_if(|out| out.at_ms <= at_ms);
        self.opt_out.is_none()
    }

    /// Somebody tells that they agreed. It lifts no opt-out: only they do.
    pub fn agree(&mut self, proof: ConsentProof) {
        self.opt_in = later(self.opt_in.take(), Some(proof));
    }

    /// What two contacts said who are one.
    pub fn merge(&mut self, other: Self) {
        self.opt_in = later(self.opt_in.take(), other.opt_in);
        self.opt_out = later(self.opt_out.take(), other.opt_out);
        self.resumed_ms = self.resumed_ms.max(other.resumed_ms);
        self.opt_out.take_if(|out| self.resumed_ms.is_some_and(|resumed| resumed > out.at_ms));
    }
}

/// The later of two; of two at one time the first by name, so that their order does not matter.
fn later(a: Option<ConsentProof>, b: Option<ConsentProof>) -> Option<ConsentProof> {
    let rank = |proof: &ConsentProof| (proof.at_ms, proof.source.clone(), proof.detail.clone());
    a.into_iter().chain(b).max_by_key(rank)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn proof(at_ms: i64) -> ConsentProof {
        ConsentProof { at_ms, source: "keyword".to_owned(), detail: None }
    }

    #[test]
    fn the_last_word_counts_whenever_it_comes() {
        let mut record = ConsentRecord::default();
        assert!(record.resume(proof(6)));
        assert!(!record.opt_out(proof(5)));
        assert!(record.opt_out(proof(6)) && record.opt_out.is_some());
        assert!(!record.resume(proof(5)));
        assert!(record.resume(proof(6)) && record.opt_out.is_none());
        record.opt_out(proof(7));
        record.agree(proof(9));
        assert!(record.opt_out.is_some(), "a form does not lift what they said");
    }

    proptest! {
        #[test]
        fn any_order_gives_the_same(
            said in proptest::collection::vec((any::<bool>(), any::<bool>()), 1..7),
            order in Just(()).prop_perturb(|(), mut rng| rng.next_u64()),
        ) {
            // Each word at a time of its own, said to one of two contacts that are one.
            let say = |words: &[usize]| {
                let mut two = [ConsentRecord::default(), ConsentRecord::default()];
                for at in words {
                    let (is_out, whose) = said[*at];
                    let record = &mut two[usize::from(whose)];
                    let proof = proof(i64::try_from(*at).unwrap());
                    if is_out { record.opt_out(proof) } else { record.resume(proof) };
                }
                let [mut one, other] = two;
                one.merge(other);
                one
            };
            let plain: Vec<usize> = (0..said.len()).collect();
            let mut mixed = plain.clone();
            mixed.sort_by_key(|at| (order >> (at % 60)) ^ (order.rotate_left(u32::try_from(*at).unwrap() * 7)));
            let (a, b) = (say(&plain), say(&mixed));
            prop_assert_eq!(&a, &b);
            prop_assert_eq!(a.opt_out.is_some(), said.last().unwrap().0);
        }
    }
}
