package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// Process is one started command. Its methods may be called from several goroutines.
type Process struct {
	command *exec.Cmd
	log     io.Closer
	ended   chan struct{}

	mu     sync.Mutex
	paused bool // guarded by mu
	asked  bool // to end, by Kill or Stop; guarded by mu
	spared bool // from the question why it ended; guarded by mu
	ending bool // it was spared when it ended; guarded by mu
}

// Launch starts a command with its output appended to the file logFile. env is all it sees of the environment.
func Launch(logFile string, env []string, binary string, args ...string) (*Process, error) {
	log, err := os.OpenFile(logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	command := exec.Command(binary, args...)
	command.Env = env
	command.Stdout, command.Stderr = log, log
	command.SysProcAttr = dieWithParent()
	if err := command.Start(); err != nil {
		return nil, errors.Join(err, log.Close())
	}
	p := &Process{command: command, log: log, ended: make(chan struct{})}
	go func() {
		_ = command.Wait() // how it ended is in the process state
		_ = log.Close()
		p.mu.Lock()
		p.ending = p.spared
		close(p.ended)
		p.mu.Unlock()
	}()
	return p, nil
}

// PID is the process id.
func (p *Process) PID() int { return p.command.Process.Pid }

// Ended is closed when the process is gone.
func (p *Process) Ended() <-chan struct{} { return p.ended }

// Running reports whether the process still exists.
func (p *Process) Running() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// Crashed reports whether the process ended although nobody here asked it to.
func (p *Process) Crashed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.asked && !p.Running() && !p.ending
}

// excuse says whether the process may end on its own from now on.
func (p *Process) excuse(excused bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.spared = excused
}

// ask notes that the process is meant to end, unless it has ended on its own.
func (p *Process) ask() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = p.asked || p.Running()
}

// Kill ends the process with SIGKILL, as a crash would, and waits until it is gone.
func (p *Process) Kill() {
	p.ask()
	_ = p.command.Process.Kill() // an error means that it is gone already
	<-p.ended
}

// Stop asks the process to end and kills it after grace.
func (p *Process) Stop(grace time.Duration) error {
	if !p.Running() {
		return nil
	}
	p.ask()
	_ = p.Resume()
	_ = p.command.Process.Signal(syscall.SIGTERM)
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-p.ended:
	case <-timer.C:
		p.Kill()
		return fmt.Errorf("process %d did not end within %v of SIGTERM and was killed", p.PID(), grace)
	}
	if code := p.command.ProcessState.ExitCode(); code != 0 {
		return fmt.Errorf("process %d ended with %v on SIGTERM", p.PID(), p.command.ProcessState)
	}
	return nil
}

// Pause freezes the process with SIGSTOP: it keeps its connections and its view of the world, and answers nothing.
func (p *Process) Pause() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.paused = true
	return p.command.Process.Signal(syscall.SIGSTOP)
}

// Resume lets a paused process go on.
func (p *Process) Resume() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.paused {
		return nil
	}
	p.paused = false
	return p.command.Process.Signal(syscall.SIGCONT)
}

// Await polls a condition until it holds. The error names what was waited for and the last reason why not.
func Await(ctx context.Context, what string, condition func(context.Context) error) error {
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for {
		err := condition(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waited in vain for %s: %w", what, err)
		case <-ticker.C:
		}
	}
}
