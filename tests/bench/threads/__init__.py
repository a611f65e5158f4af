"""A suite of Go tests in threads, under `nlemu run` and on this machine's kernel (suite_test.go)."""
