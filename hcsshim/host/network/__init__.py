"""The networks of the embedded host: what HNS and HCN do, rule by rule."""
