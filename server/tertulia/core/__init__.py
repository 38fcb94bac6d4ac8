"""What a discussion is, without any web framework, database or event loop."""
