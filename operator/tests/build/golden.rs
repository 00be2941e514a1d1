//! The objects of each example, as committed.

use bigtix_testkit::golden;

use crate::shops::{EXAMPLES, example, objects};

#[test]
fn generated_objects_of_the_examples_are_current() {
    for name in EXAMPLES {
        let documents: String = objects(&example(name))
            .iter()
            .map(|object| format!("---\n{}", serde_yaml_ng::to_string(object).expect("plain data")))
            .collect();
        golden::generated(format!("operator/tests/golden/{name}.yaml"), &documents);
    }
}
