package launch

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// Command is a program to start. Env is added to PATH and TMPDIR, which is all that it sees of the environment.
type Command struct {
	Binary         string
	Args, Env      []string
	Stdout, Stderr io.Writer // both may be one
}

// Process is one started command. Its methods may be called from several goroutines.
type Process struct {
	command *exec.Cmd
	ended   chan struct{}

	mu           sync.Mutex
	paused       bool // guarded by mu
	interrupted  bool // by Kill, Stop or Signal; guarded by mu
	exitExpected bool // guarded by mu
	exitExcused  bool // an exit was expected when it came; guarded by mu
}

// Start starts a command.
func Start(c Command) (*Process, error) {
	command := exec.Command(c.Binary, c.Args...)
	command.Env = append([]string{"PATH=" + os.Getenv("PATH"), "TMPDIR=" + os.TempDir()}, c.Env...)
	command.Stdout, command.Stderr = c.Stdout, c.Stderr
	return start(command)
}

func start(command *exec.Cmd) (*Process, error) {
	command.SysProcAttr = dieWithParent()
	if err := command.Start(); err != nil {
		return nil, err
	}
	p := &Process{command: command, ended: make(chan struct{})}
	go func() {
		_ = command.Wait() // how it ended is in the process state
		p.mu.Lock()
		defer p.mu.Unlock()
		p.exitExcused = p.exitExpected
		close(p.ended)
	}()
	return p, nil
}

// StartLogged starts a command whose output is appended to a file.
func StartLogged(logFile string, c Command) (*Process, error) {
	log, err := os.OpenFile(logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	c.Stdout, c.Stderr = log, log
	p, err := Start(c)
	return p, errors.Join(err, log.Close()) // the process has descriptors of its own
}

// PID is the process id.
func (p *Process) PID() int { return p.command.Process.Pid }

// Ended is closed when the process is gone.
func (p *Process) Ended() <-chan struct{} { return p.ended }

// State is how the process ended. It is valid once Ended is closed.
func (p *Process) State() *os.ProcessState { return p.command.ProcessState }

// Running reports whether the process still exists.
func (p *Process) Running() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// Crashed reports whether the process ended although nobody here ended it or expected its exit.
func (p *Process) Crashed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.Running() && !p.interrupted && !p.exitExcused
}

// expectExit says whether the process may end on its own from now on.
func (p *Process) expectExit(expected bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.exitExpected = expected
}

// Signal sends a signal that is meant to end the process.
func (p *Process) Signal(s os.Signal) error {
	p.mu.Lock()
	p.interrupted = p.interrupted || p.Running() // a process that ended on its own has crashed
	p.mu.Unlock()
	return p.command.Process.Signal(s)
}

// Kill ends the process with SIGKILL, as a crash would, and waits until it is gone.
func (p *Process) Kill() {
	_ = p.Signal(syscall.SIGKILL) // an error means that it is gone already
	<-p.ended
}

// Stop asks the process to end and kills it after grace.
func (p *Process) Stop(grace time.Duration) error {
	if !p.Running() {
		return nil
	}
	_ = p.Signal(syscall.SIGTERM)
	_ = p.Resume()
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-p.ended:
	case <-timer.C:
		p.Kill()
		return fmt.Errorf("process %d did not end within %v of SIGTERM and was killed", p.PID(), grace)
	}
	if p.mu.Lock(); !p.State().Success() && !p.exitExcused {
		defer p.mu.Unlock()
		return fmt.Errorf("process %d ended with %v on SIGTERM", p.PID(), p.State())
	}
	p.mu.Unlock()
	return nil
}

// Pause freezes the process with SIGSTOP: it keeps its connections and its view of the world, and answers nothing.
func (p *Process) Pause() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.paused = true
	return p.command.Process.Signal(syscall.SIGSTOP)
}

// Resume lets a paused process continue.
func (p *Process) Resume() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.paused {
		return nil
	}
	p.paused = false
	return p.command.Process.Signal(syscall.SIGCONT)
}
