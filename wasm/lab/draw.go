package lab

import "time"

// mix draws 64 random bits that depend on its arguments alone, so that an
// event has the same key and cost whichever goroutine meets it and whatever
// pool runs it. It is the finalizer of SplitMix64 (Steele, Lea and Flood, Fast
// Splittable Pseudorandom Number Generators, OOPSLA 2014) over their sum.
func mix(seed uint64, more ...uint64) uint64 {
	z := seed
	for _, m := range more {
		z += 0x9e3779b97f4a7c15 * (m + 1)
		z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		z ^= z >> 31
	}
	return z
}

// unit turns random bits into a number from 0 up to 1.
func unit(bits uint64) float64 { return float64(bits>>11) / (1 << 53) }

// What a draw is for keeps draws for different things apart.
const (
	forKey = iota
	forCost
	forInterval
)

// keyOf draws the key of an event: key k has weight 1/(k+1), Zipf's law.
func keyOf(seed uint64, event uint32) uint8 {
	total := 0.0
	for k := range NumKeys {
		total += 1 / float64(k+1)
	}
	u := unit(mix(seed, forKey, uint64(event))) * total
	for k := range NumKeys {
		if u -= 1 / float64(k+1); u < 0 {
			return uint8(k)
		}
	}
	return NumKeys - 1
}

// costOf draws how long an event takes: between half and one and a half times
// the mean, so that workers do not march in step.
func costOf(seed uint64, event uint32, mean time.Duration) time.Duration {
	return time.Duration(float64(mean) * (0.5 + unit(mix(seed, forCost, uint64(event)))))
}
