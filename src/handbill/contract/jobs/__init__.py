"""Jobs of a client, from feeds and added by API alike: operations 11 to 18."""
