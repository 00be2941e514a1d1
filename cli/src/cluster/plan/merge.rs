//! What `kubectl apply` makes of a file and a resource that is there: fields of the file count, fields that were in the file
//! that was applied last and are not in this one go, all others stay. Pure.

use serde_json::{Map, Value};

/// The resource afterwards. Lists are whole, as they are in every resource of a kind that the API server does not know itself.
pub(super) fn merged(live: &Value, last: &Value, file: &Value) -> Value {
    match (live, file) {
        (Value::Object(live), Value::Object(file)) => {
            let none = Map::new();
            let before = last.as_object().unwrap_or(&none);
            let mut result = live.clone();
            result.retain(|name, _| file.contains_key(name) || !before.contains_key(name));
            for (name, value) in file {
                let part = |of: &Map<String, Value>| of.get(name).cloned().unwrap_or(Value::Null);
                result.insert(name.clone(), merged(&part(live), &part(before), value));
            }
            Value::Object(result)
        }
        _ => file.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_somebody_patched_stays_and_what_left_the_file_goes() {
        let live = json!({"spec": {"version": "1", "patched": true, "left": 1, "inner": {"patched": 1, "left": 2, "same": 3}, "list": [1, 2]}});
        let last = json!({"spec": {"version": "1", "left": 1, "inner": {"left": 2, "same": 3}}});
        let file = json!({"spec": {"version": "2", "inner": {"same": 4}, "list": [3]}});
        assert_eq!(
            merged(&live, &last, &file),
            json!({"spec": {"version": "2", "patched": true, "inner": {"patched": 1, "same": 4}, "list": [3]}})
        );
        assert_eq!(merged(&live, &Value::Null, &json!({"spec": {}})), live);
    }
}
