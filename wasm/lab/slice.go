package lab

// insert and remove do for small slices what package slices does, whose own
// make the program that a browser downloads larger for each type of element.

func insert[T any](s []T, i int, v T) []T {
	s = append(s, v)
	copy(s[i+1:], s[i:])
	s[i] = v
	return s
}

func remove[T any](s []T, i, j int) []T { return append(s[:i], s[j:]...) }
