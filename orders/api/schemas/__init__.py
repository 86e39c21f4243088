"""The schemas of the API's requests and answers, by subject; OpenAPI is generated from them."""
