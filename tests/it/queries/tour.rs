//! Calling every operation of the spec at least once.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

use reqwest::{Method, RequestBuilder};
use serde_json::Value;

use crate::support::{Caller, Reply, TestApp};

/// The operations of the spec, and which of them have been called with success.
pub struct Tour {
    operations: BTreeMap<String, (Method, String)>,
    called: RefCell<BTreeSet<String>>,
}

impl Tour {
    /// Reads the spec.
    pub async fn of(app: &TestApp) -> Self {
        let spec = app.anonymous().get("/openapi.json").await.expect(200).json;
        let mut operations = BTreeMap::new();
        for (path, methods) in spec["paths"].as_object().expect("paths") {
            for (method, operation) in methods.as_object().expect("methods") {
                let method = Method::from_bytes(method.to_uppercase().as_bytes()).expect("a method");
                let id = operation["operationId"].as_str().expect("an operation id");
                operations.insert(id.to_owned(), (method, path.clone()));
            }
        }
        Self { operations, called: RefCell::default() }
    }

    /// Calls an operation; `at` stands in the path's places, the query at its end.
    pub async fn call(&self, caller: &Caller, id: &str, at: &[&str], query: &str) -> Reply {
        self.send(id, self.request(caller, id, at, query)).await
    }

    /// Calls an operation with a JSON body.
    pub async fn json(&self, caller: &Caller, id: &str, at: &[&str], body: &Value) -> Reply {
        self.send(id, self.request(caller, id, at, "").json(body)).await
    }

    /// Calls an operation that succeeds.
    pub async fn send(&self, id: &str, request: RequestBuilder) -> Reply {
        let reply = Reply::of(request).await;
        assert!(reply.status.is_success(), "{id}: {} {}", reply.status, reply.text);
        self.called.borrow_mut().insert(id.to_owned());
        reply
    }

    /// The call of an operation, to which something can be added.
    pub fn request(&self, caller: &Caller, id: &str, at: &[&str], query: &str) -> RequestBuilder {
        let (method, path) = self.path(id, at);
        caller.request(method, &format!("{path}{query}"))
    }

    /// Method and path of an operation with values in its places.
    pub fn path(&self, id: &str, at: &[&str]) -> (Method, String) {
        let (method, template) = self.operations.get(id).unwrap_or_else(|| panic!("no operation {id}"));
        let mut values = at.iter();
        let parts = template.split('/').map(|part| match part.starts_with('{') {
            true => *values.next().unwrap_or_else(|| panic!("{id}: too few values for {template}")),
            false => part,
        });
        (method.clone(), parts.collect::<Vec<_>>().join("/"))
    }

    /// The operations that nobody has called.
    pub fn missed(&self) -> Vec<&String> {
        let called = self.called.borrow();
        self.operations.keys().filter(|id| !called.contains(*id)).collect()
    }
}
