//! Templates, with an environment that holds a secret.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::base::template::{Template, TemplateScope, Templates};

/// A value of the environment that nothing else holds.
const SECRET: &str = "zq7Kx-93hV";

/// A template: text without an expression stays what it is, and none yields a variable of the environment that it does not name.
pub fn template(bytes: &[u8]) {
    let Ok(source) = std::str::from_utf8(bytes) else { return };
    let mut templates = Templates::new();
    let Ok(template) = templates.compile(source) else { return };
    let vars = json!({
        "shop": "Northwind", "n": 9_007_199_254_740_993_i64, "f": 1.5, "yes": true, "none": null,
        "list": [1, "a", null], "map": { "b": 1, "a": [true] }, "tpl": "{{ env.KEY }}"
    });
    let env = Arc::new([("KEY".to_owned(), SECRET.to_owned())].into());
    let scope =
        TemplateScope::new().with_vars(&vars).with_row(Some(&json!({ "total": "12.50", "city": "Rome" })));
    let scope = scope.with_env(env).with_test("refund").with_run("r1").with_repeat(2);
    let rendered = templates.render(&template, &scope);
    assert_eq!(rendered, templates.render(&template, &scope), "rendered again");
    if let Template::Literal(value) = &template {
        assert_eq!(*value, Value::from(source));
    }
    let reads = templates.env_names(&template).iter().any(|read| read.name == "KEY");
    let yielded = match &rendered {
        Ok(value) => value.to_string(),
        Err(error) => {
            let span = error.span.clone().unwrap_or(0..0);
            assert!(span.start <= span.end && span.end <= source.len(), "{error:?}");
            error.message.clone()
        }
    };
    // A fuzzer that watches comparisons writes the secret into its templates.
    let knows = source.contains(&SECRET[6..]);
    assert!(reads || knows || !yielded.contains(SECRET), "{source:?} yields {yielded}");
}
