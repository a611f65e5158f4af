module nlemu/nlemutest

go 1.19
