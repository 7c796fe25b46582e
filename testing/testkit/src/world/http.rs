//! HTTP requests to a world.

use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder};
use serde_json::Value;

use super::core::World;
use crate::fail::OrFail;
use crate::processes::Process;

/// An answer, read to its end.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub text: String,
}

impl Reply {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).or_fail("read JSON from the answer")
    }

    /// One header, if it is present and readable.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

impl World {
    /// The address of a path at the i-th order-management process.
    pub fn url(&self, i: usize, path: &str) -> String {
        url(self.order_management(i), path)
    }

    /// A request to the first running order-management process, to be completed and sent.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let running = self.order_management.iter().find(|process| process.is_running());
        let process = running.or_fail("find a running order-management process");
        self.http.request(method, url(process, path))
    }

    /// The client, for any other request.
    pub fn http(&self) -> &reqwest::Client {
        &self.http
    }

    /// `GET` from the first running order-management process.
    pub async fn get(&self, path: &str) -> Reply {
        self.send(self.request(Method::GET, path)).await
    }

    /// Sends a request and reads the answer, of any status.
    pub async fn send(&self, request: RequestBuilder) -> Reply {
        self.try_send(request).await.or_fail("get an answer over HTTP")
    }

    /// [`World::send`] with an error instead of a panic, for use while processes are killed.
    pub async fn try_send(&self, request: RequestBuilder) -> reqwest::Result<Reply> {
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok(Reply { status, headers, text: response.text().await? })
    }
}

fn url(process: &Process, path: &str) -> String {
    let port = process.variable("PORT").or_fail("find the port of order-management");
    format!("http://127.0.0.1:{port}{path}")
}
