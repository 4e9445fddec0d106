//! A tour that calls every operation of the OpenAPI document at least once.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

use reqwest::{Method, RequestBuilder};
use serde_json::Value;

use crate::support::{Caller, Reply, TestApp};

/// The operations of the OpenAPI document and the ones that were called successfully.
pub struct Tour {
    operations: BTreeMap<String, (Method, String)>,
    called: RefCell<BTreeSet<String>>,
}

impl Tour {
    /// Reads the OpenAPI document of a server.
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

    /// Calls an operation. `at` has the values for the parameters in the path, and `query` is appended to the path.
    pub async fn call(&self, caller: &Caller, id: &str, at: &[&str], query: &str) -> Reply {
        self.send(id, self.request(caller, id, at, query)).await
    }

    /// Calls an operation with a JSON body.
    pub async fn json(&self, caller: &Caller, id: &str, at: &[&str], body: &Value) -> Reply {
        self.send(id, self.request(caller, id, at, "").json(body)).await
    }

    /// Sends the request of an operation, checks that it succeeds and records the operation as called.
    pub async fn send(&self, id: &str, request: RequestBuilder) -> Reply {
        let reply = Reply::of(request).await;
        assert!(reply.status.is_success(), "{id}: {} {}", reply.status, reply.text);
        self.called.borrow_mut().insert(id.to_owned());
        reply
    }

    /// Builds the request of an operation without sending it.
    pub fn request(&self, caller: &Caller, id: &str, at: &[&str], query: &str) -> RequestBuilder {
        let (method, path) = self.path(id, at);
        caller.request(method, &format!("{path}{query}"))
    }

    /// Returns method and path of an operation. `at` has the values for the parameters in the path.
    pub fn path(&self, id: &str, at: &[&str]) -> (Method, String) {
        let (method, template) = self.operations.get(id).unwrap_or_else(|| panic!("no operation {id}"));
        let mut values = at.iter();
        let parts = template.split('/').map(|part| match part.starts_with('{') {
            true => *values.next().unwrap_or_else(|| panic!("{id}: too few values for {template}")),
            false => part,
        });
        (method.clone(), parts.collect::<Vec<_>>().join("/"))
    }

    /// Returns the operations that were not called.
    pub fn missed(&self) -> Vec<&String> {
        let called = self.called.borrow();
        self.operations.keys().filter(|id| !called.contains(*id)).collect()
    }
}
