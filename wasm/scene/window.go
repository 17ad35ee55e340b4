package scene

import "time"

// Window is a stretch of lab time that a timeline shows.
type Window struct{ From, To time.Duration }

// least is the shortest stretch that can be shown.
const least = 10 * time.Microsecond

// Span is the length of the window.
func (w Window) Span() time.Duration { return w.To - w.From }

// Zoom makes the window factor times as long and keeps the instant at where it
// is: a factor below 1 looks closer.
func (w Window) Zoom(at time.Duration, factor float64) Window {
	if !(factor > 0) || w.Span() <= 0 {
		return w
	}
	factor = max(factor, float64(least)/float64(w.Span()))
	from := at - time.Duration(float64(at-w.From)*factor)
	return Window{from, from + time.Duration(float64(w.Span())*factor)}
}

// Pan moves the window later by d.
func (w Window) Pan(d time.Duration) Window { return Window{w.From + d, w.To + d} }

// Clamp moves the window so that it shows nothing before start or after end, and
// shortens it if it is longer than that.
func (w Window) Clamp(start, end time.Duration) Window {
	end = max(end, start+least)
	span := min(max(w.Span(), least), end-start)
	from := min(max(w.From, start), end-span)
	return Window{from, from + span}
}

// Follow moves the window so that it ends at now, if that is not too early.
func (w Window) Follow(start, now time.Duration) Window {
	return Window{now - w.Span(), now}.Clamp(start, max(now, start+w.Span()))
}

// Fit is the window that shows all from start to end.
func Fit(start, end time.Duration) Window { return Window{start, max(end, start+least)} }
