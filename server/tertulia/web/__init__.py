"""What all HTTP edges share: strict requests, problem documents, client addresses, origins, operations."""
