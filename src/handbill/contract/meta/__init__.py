"""The names of campaigns and job groups, as they are asked for. **Source**: contract 1 (52)."""
