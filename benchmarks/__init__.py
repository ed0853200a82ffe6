"""What Onward costs and stands, measured on real servers: `python -m benchmarks NAME`. Figures: docs/benchmarks.md."""
