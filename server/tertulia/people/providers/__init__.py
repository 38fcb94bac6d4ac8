"""Providers at which readers sign in: OpenID Connect, and OAuth for those that have no more.

known     the providers of all sites, as the database has them
provider  what either kind does: where a browser is sent, and who comes back
openid    discovery, the exchange of a code, ID tokens
oauth     the same without ID tokens
metadata  what a provider says of itself
asking    requests to providers
failures  why it did not work, in a word
"""

from tertulia.people.providers.failures import Failure, ProviderError
from tertulia.people.providers.known import PROVIDER, Providers

__all__ = ["PROVIDER", "Failure", "ProviderError", "Providers"]
