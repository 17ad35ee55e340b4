package desk

import "sluice/wasm/lab"

// Key is the message that a key stands for, or nil. Whoever hears the key must
// leave it alone while the person types or uses a control that needs it.
func (d *Desk) Key(key string, shift bool) any {
	switch key {
	case " ":
		return Toggle{}
	case "ArrowRight":
		if shift {
			return Pan{0.2}
		}
		if !d.Paused() {
			return lab.Pause{}
		}
		return StepOn{}
	case "ArrowLeft":
		if shift {
			return Pan{-0.2}
		}
		return StepBack{}
	case "Home":
		return ToStart{}
	case "End":
		return ToLive{}
	case "s":
		return lab.Start{}
	case "x":
		return lab.Stop{}
	case "k":
		return lab.Kill{}
	case "r":
		return lab.Reset{}
	case "b":
		return lab.Burst{}
	case "+", "=":
		return Zoom{d.At(), 0.5}
	case "-":
		return Zoom{d.At(), 2}
	case "f":
		return Fit{}
	case "Escape":
		return Clear{}
	}
	return nil
}

// Act is the message that a button stands for, or nil if it is not the desk's.
func Act(name string) any {
	switch name {
	case "start":
		return lab.Start{}
	case "stop":
		return lab.Stop{}
	case "kill":
		return lab.Kill{}
	case "reset":
		return lab.Reset{}
	case "burst":
		return lab.Burst{}
	case "pause":
		return lab.Pause{}
	case "resume":
		return lab.Resume{}
	case "step":
		return StepOn{}
	case "step-back":
		return StepBack{}
	case "to-start":
		return ToStart{}
	case "live":
		return ToLive{}
	case "unfollow":
		return Follow{}
	}
	return nil
}
