"""Linking an account with an agent's platform: OAuth 2.0, authorization code with PKCE (S256).

`authorizing` checks what a platform asks and gives a code, `tokens` turns codes into tokens and
reads them, `views` are the addresses. specification/identity-linking.
"""
