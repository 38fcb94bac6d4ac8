"""What every HTTP edge shares: reading requests, telling problems, knowing who asks and from where."""
