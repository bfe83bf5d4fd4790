package launch

import "syscall"

// dieWithParent keeps nodes from outliving a test binary that was killed.
func dieWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
