use super::world::{Night, World};

/// Seeds of every run of the tests. `NIGHTRUN_SEED=n` plays that one alone.
const SEEDS: u64 = 300;

fn play(seed: u64) -> Night {
    World::new(seed).and_then(World::play).unwrap()
}

#[expect(clippy::disallowed_methods, reason = "a failing seed is given from outside")]
fn seeds() -> Vec<u64> {
    match std::env::var("NIGHTRUN_SEED") {
        Ok(seed) => vec![seed.parse().expect("NIGHTRUN_SEED is a number")],
        Err(_) => (0..SEEDS).collect(),
    }
}

#[test]
fn no_made_up_night_breaks_a_rule() {
    let (mut crashes, mut broken) = (0, Vec::new());
    let seeds = seeds();
    for seed in &seeds {
        match World::new(*seed).and_then(World::play) {
            Ok(night) => crashes += night.crashes,
            Err(violation) => broken
                .push(format!("NIGHTRUN_SEED={seed} cargo nextest run simulate   # {violation}")),
        }
    }
    assert!(broken.is_empty(), "{} nights broke a rule:\n{}", broken.len(), broken.join("\n"));
    if seeds.len() > 1 {
        assert!(crashes > seeds.len() / 2, "{crashes} crashes are too few to show anything");
    }
}

#[test]
fn the_same_seed_is_the_same_night_to_the_byte() {
    for seed in [1, 2, 3] {
        let bytes = |night: Night| serde_json::to_vec(&night.facts).unwrap();
        assert_eq!(bytes(play(seed)), bytes(play(seed)));
    }
}
