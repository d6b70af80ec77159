# Everything is in scripts/: where there is no make, `sh scripts/demo` does the same.
.PHONY: demo test check docs

demo:
	@sh scripts/demo
test:
	@sh scripts/test
check:
	@sh scripts/check
docs:
	@sh scripts/docs
