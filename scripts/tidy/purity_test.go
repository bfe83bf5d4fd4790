package tidy

import (
	"fmt"
	"go/ast"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestPurity_OfTheLedger: replicas apply the same commands and must reach the same bytes. Whatever could differ between
// two machines (clock, chance, scheduling, float rounding, map order) or survive from one State to the next (package
// state) is refused here. The imports are the row for fsm in arrows_test.go.
func TestPurity_OfTheLedger(t *testing.T) {
	fset := token.NewFileSet()
	for _, path := range []string{"fsm", "fsm/fields", "fsm/codec"} {
		report(t, checkPurity(t, fset, path, codeFiles(t, fset, path)))
	}
	report(t, checkPurity(t, fset, "fsm", codeFiles(t, fset, "fsm", "nextversion")))
}

// purity collects the findings of one package.
type purity struct {
	fset      *token.FileSet
	info      *types.Info
	variables map[types.Object]bool // package-level variables
	orderFree map[string]bool       // file:line of comments that say why an order cannot show
	findings  []string
}

func checkPurity(t testing.TB, fset *token.FileSet, path string, files []*ast.File) []string {
	t.Helper()
	check := &purity{
		fset: fset, variables: map[types.Object]bool{}, orderFree: map[string]bool{},
		info: &types.Info{
			Types: map[ast.Expr]types.TypeAndValue{}, Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{},
		},
	}
	config := types.Config{
		Importer: importer.ForCompiler(fset, "gc", exportData(t)),
		Sizes:    types.SizesFor("gc", runtime.GOARCH),
		Error:    func(err error) { check.findings = append(check.findings, "does not type-check: "+err.Error()) },
	}
	pkg, _ := config.Check(modulePath+"/"+path, fset, files, check.info)
	if len(check.findings) > 0 {
		return check.findings
	}
	check.packageVariables(pkg)
	for _, file := range files {
		check.markOrderFree(file)
		ast.Inspect(file, check.node)
	}
	check.floats()
	slices.Sort(check.findings)
	return slices.Compact(check.findings)
}

// exportData finds the compiler's export data of an imported package through the go command.
func exportData(t testing.TB) func(path string) (io.ReadCloser, error) {
	return func(path string) (io.ReadCloser, error) {
		files := goList(t, "-export", "-f", "{{.Export}}", path)
		if len(files) != 1 {
			return nil, fmt.Errorf("no export data for %s: does it build?", path)
		}
		return os.Open(files[0])
	}
}

func (p *purity) add(node ast.Node, format string, args ...any) {
	p.findings = append(p.findings, fmt.Sprintf("%s: %s", p.fset.Position(node.Pos()), fmt.Sprintf(format, args...)))
}

// node refuses what syntax alone shows.
func (p *purity) node(node ast.Node) bool {
	switch node := node.(type) {
	case *ast.GoStmt:
		p.add(node, "go statement: the ledger runs on its caller's goroutine")
	case *ast.SelectStmt:
		p.add(node, "select statement")
	case *ast.ChanType:
		p.add(node, "channel type")
	case *ast.SendStmt:
		p.add(node, "send on a channel")
	case *ast.BasicLit:
		if node.Kind == token.FLOAT || node.Kind == token.IMAG {
			p.add(node, "float literal %s: amounts are int64", node.Value)
		}
	case *ast.FuncDecl:
		if node.Recv == nil && node.Name.Name == "init" {
			p.add(node, "init function")
		}
	case *ast.UnaryExpr:
		switch node.Op {
		case token.ARROW:
			p.add(node, "receive from a channel")
		case token.AND:
			if !isDescriptor(p.info.TypeOf(node.X)) {
				p.mutation(node.X)
			}
		}
	case *ast.IncDecStmt:
		p.mutation(node.X)
	case *ast.AssignStmt:
		for _, left := range node.Lhs {
			p.mutation(left)
			p.descriptorChange(left)
		}
	case *ast.RangeStmt:
		p.rangeStatement(node)
	case *ast.CallExpr:
		p.call(node)
	}
	return true
}

// rangeStatement refuses to range over a map. A comment on the line or above it may say why the order cannot show in a result, record or
// digest.
func (p *purity) rangeStatement(loop *ast.RangeStmt) {
	for _, target := range []ast.Expr{loop.Key, loop.Value} {
		if target != nil && loop.Tok == token.ASSIGN {
			p.mutation(target)
		}
	}
	if isMap(p.info.TypeOf(loop.X)) && !p.isOrderFree(loop) {
		p.add(loop, "range over a map: sort the keys, or say why the order cannot show in a comment \"// order-free: …\"")
	}
}

// mapOrder are the functions of package maps whose iterator yields map order.
var mapOrder = []string{"All", "Keys", "Values"}

func (p *purity) call(call *ast.CallExpr) {
	if name, ok := call.Fun.(*ast.Ident); ok && len(call.Args) > 0 {
		if _, builtin := p.info.Uses[name].(*types.Builtin); builtin && slices.Contains([]string{"clear", "copy", "delete"}, name.Name) {
			p.mutation(call.Args[0])
		}
	}
	pkg, name := p.callee(call)
	if pkg == "maps" && slices.Contains(mapOrder, name) && !p.isOrderFree(call) {
		p.add(call, "maps.%s yields map order: wrap it in slices.Sorted on the same line and say so with \"// order-free: …\"", name)
	}
}

// callee names the function of another package that is called, generic or not.
func (p *purity) callee(call *ast.CallExpr) (pkg, name string) {
	fun := ast.Unparen(call.Fun)
	switch generic := fun.(type) {
	case *ast.IndexExpr:
		fun = generic.X
	case *ast.IndexListExpr:
		fun = generic.X
	}
	selector, ok := fun.(*ast.SelectorExpr)
	if !ok {
		return "", ""
	}
	if function, ok := p.info.Uses[selector.Sel].(*types.Func); ok && function.Pkg() != nil {
		return function.Pkg().Path(), function.Name()
	}
	return "", ""
}

func isMap(t types.Type) bool {
	if t == nil {
		return false
	}
	if parameter, ok := t.(*types.TypeParam); ok {
		return strings.Contains(parameter.Constraint().String(), "map[") ||
			strings.Contains(parameter.Constraint().Underlying().String(), "map[")
	}
	_, ok := t.Underlying().(*types.Map)
	return ok
}

var orderFreeComment = regexp.MustCompile(`^// order-free: \S`)

// markOrderFree notes the lines of every comment group that holds an order-free comment.
func (p *purity) markOrderFree(file *ast.File) {
	for _, group := range file.Comments {
		if !slices.ContainsFunc(group.List, func(c *ast.Comment) bool { return orderFreeComment.MatchString(c.Text) }) {
			continue
		}
		last := p.fset.Position(group.End())
		for line := p.fset.Position(group.Pos()).Line; line <= last.Line; line++ {
			p.orderFree[fmt.Sprint(last.Filename, ":", line)] = true
		}
	}
}

func (p *purity) isOrderFree(node ast.Node) bool {
	at := p.fset.Position(node.Pos())
	return p.orderFree[fmt.Sprint(at.Filename, ":", at.Line)] || p.orderFree[fmt.Sprint(at.Filename, ":", at.Line-1)]
}

// packageVariables allows errors, tables (arrays, slices, maps) and plain values that the language has no constants for,
// provided that nothing in the package changes them. Anything else at package level is state that two States would share.
func (p *purity) packageVariables(pkg *types.Package) {
	for _, name := range pkg.Scope().Names() {
		variable, ok := pkg.Scope().Lookup(name).(*types.Var)
		if !ok {
			continue
		}
		p.variables[variable] = true
		if !isError(variable.Type()) && !isFixed(variable.Type()) {
			p.findings = append(p.findings, fmt.Sprintf("%s: package-level variable %s: only errors, tables and plain structs that never change; use const, or a field of State",
				p.fset.Position(variable.Pos()), name))
		}
	}
}

func isError(t types.Type) bool {
	return types.Implements(t, types.Universe.Lookup("error").Type().Underlying().(*types.Interface))
}

// isDescriptor reports whether a type describes a type of commands, results or records. Such values are made once, at package level, and
// everybody refers to them by their address; descriptorChange refuses to write to one.
func isDescriptor(t types.Type) bool {
	if pointer, ok := t.(*types.Pointer); ok {
		t = pointer.Elem()
	}
	named, ok := t.(*types.Named)
	return ok && slices.Contains([]string{"commandType", "resultType", "recordType", "recordRow"}, named.Obj().Name())
}

// descriptorChange refuses an assignment to a field of a descriptor, or to what a pointer to one points to.
func (p *purity) descriptorChange(target ast.Expr) {
	switch part := target.(type) {
	case *ast.SelectorExpr:
		if isDescriptor(p.info.TypeOf(part.X)) {
			p.add(part, "a descriptor is changed")
		}
	case *ast.StarExpr:
		if isDescriptor(p.info.TypeOf(part.X)) {
			p.add(part, "a descriptor is changed")
		}
	}
}

// isFixed reports whether a variable of the type cannot hold state. Such a type is a table, a pointer to one (as hash tables of the
// standard library are), a struct of basic values, or a pointer to an empty value.
func isFixed(t types.Type) bool {
	if _, pointer := t.(*types.Pointer); !pointer && isDescriptor(t) {
		return true
	}
	switch t := t.Underlying().(type) {
	case *types.Array, *types.Slice, *types.Map:
		return true
	case *types.Struct:
		for field := range t.Fields() {
			if _, basic := field.Type().Underlying().(*types.Basic); !basic {
				return false
			}
		}
		return true
	case *types.Pointer:
		switch pointed := t.Elem().Underlying().(type) {
		case *types.Array:
			return true
		case *types.Struct:
			return pointed.NumFields() == 0
		}
	}
	return false
}

// mutation refuses an assignment to, or the address of, a package-level variable or a part of it. A table that is first
// copied to another variable and changed through that escapes this check.
func (p *purity) mutation(target ast.Expr) {
	for {
		switch part := target.(type) {
		case *ast.ParenExpr:
			target = part.X
		case *ast.IndexExpr:
			target = part.X
		case *ast.SliceExpr:
			target = part.X
		case *ast.SelectorExpr:
			target = part.X
		case *ast.StarExpr:
			target = part.X
		case *ast.Ident:
			if p.variables[p.info.Uses[part]] {
				p.add(part, "package-level variable %s is changed, or its address taken", part.Name)
			}
			return
		default:
			return
		}
	}
}

// floats refuses every expression of a float or complex type, also one that an imported function returns.
func (p *purity) floats() {
	for expression, typed := range p.info.Types {
		if basic, ok := typed.Type.Underlying().(*types.Basic); ok && basic.Info()&(types.IsFloat|types.IsComplex) != 0 {
			p.add(expression, "float or complex type %s: rounding differs between machines; amounts are int64", basic)
		}
	}
}

// TestPurity_Refuses shows that each rule can fail.
func TestPurity_Refuses(t *testing.T) {
	for name, test := range map[string]struct{ body, want string }{
		"goroutine":      {"func f() { go f() }", "go statement"},
		"channel type":   {"type s struct{ c chan int }", "channel type"},
		"select":         {"func f() { select {} }", "select statement"},
		"send":           {"func f(c chan<- int) { c <- 1 }", "send on a channel"},
		"receive":        {"func f(c <-chan int) { <-c }", "receive from a channel"},
		"float literal":  {"const half = 0.5", "float literal"},
		"float type":     {"type s struct{ f float64 }", "float or complex"},
		"float inferred": {"import \"math\"\nfunc f(n uint64) { _ = math.Float64frombits(n) }", "float or complex"},
		"complex":        {"var _ = complex64(1)", "float or complex"},
		"init":           {"func init() {}", "init function"},
		"counter":        {"var counter int", "package-level variable counter"},
		"pointer":        {"type s struct{ n int }\nvar shared = &s{}", "package-level variable shared"},
		"struct of maps": {"type s struct{ m map[int]int }\nvar shared s", "package-level variable shared"},
		"struct changed": {"type s struct{ n int }\nvar one = s{1}\nfunc f() { one.n = 2 }", "one is changed"},
		"descriptor":     {"type commandType struct{ n int }\nvar one = commandType{1}\nfunc f() { p := &one; p.n = 2 }", "a descriptor is changed"},
		"descriptor set": {"type commandType struct{ n int }\nvar one = commandType{1}\nfunc f() { p := &one; *p = commandType{} }", "a descriptor is changed"},
		"function":       {"var now = func() int64 { return 0 }", "package-level variable now"},
		"table assigned": {"var table = map[int]int{}\nfunc f() { table[1] = 2 }", "table is changed"},
		"table counted":  {"var table [3]int\nfunc f() { table[1]++ }", "table is changed"},
		"table deleted":  {"var table = map[int]int{}\nfunc f() { delete(table, 1) }", "table is changed"},
		"table address":  {"var table [3]int\nfunc f() *int { return &table[0] }", "table is changed"},
		"table ranged":   {"var table [1]int\nfunc f(s []int) { for table[0] = range s {} }", "table is changed"},
		"error replaced": {"import \"errors\"\nvar errX = errors.New(\"x\")\nfunc f() { errX = nil }", "errX is changed"},
		"map order":      {"func f(m map[int]int) { for range m {} }", "range over a map"},
		"named map":      {"type set map[int]bool\nfunc f(s set) { for k := range s { _ = k } }", "range over a map"},
		"generic map":    {"func f[M ~map[int]int](m M) { for range m {} }", "range over a map"},
		"empty reason":   {"func f(m map[int]int) {\n// order-free:\nfor range m {} }", "range over a map"},
		"distant reason": {"// order-free: a sum\n\nfunc f(m map[int]int) {\n\nfor range m {} }", "range over a map"},
		"maps.Keys":      {"import \"maps\"\nfunc f(m map[int]int) { for range maps.Keys(m) {} }", "maps.Keys yields map order"},
		"unknown name":   {"func f() { undefined() }", "does not type-check"},
	} {
		t.Run(name, func(t *testing.T) {
			findings := purityOf(t, test.body)
			require.NotEmpty(t, findings)
			require.Contains(t, strings.Join(findings, "\n"), test.want)
		})
	}
}

// TestPurity_Allows shows that ordinary ledger code passes.
func TestPurity_Allows(t *testing.T) {
	require.Empty(t, purityOf(t, `
import (
	"errors"
	"maps"
	"math"
	"slices"
)

var (
	errOverflow = errors.New("overflow")
	names       = [...]string{"a", "b"}
	days        = map[int]string{1: "mon"}
	_ error     = errOverflow
	verb        = struct{ resource, action string }{"api", "read"}
	done        = &struct{}{}
)

const day = 24 * 60 * 60 * 1000

func sum(m map[string]int64) (total int64, err error) {
	// order-free: addition commutes,
	// and an overflow is an overflow in any order
	for _, n := range m {
		if total > math.MaxInt64-n {
			return 0, errOverflow
		}
		total += n
	}
	for range slices.Sorted(maps.Keys(m)) { // order-free: sorted here
		total += int64(len(names) + len(days) + len(verb.action))
	}
	copied := names
	copied[0] = "c"
	_ = done
	return total * day, nil
}
`))
}

func purityOf(t *testing.T, body string) []string {
	t.Helper()
	fset := token.NewFileSet()
	file := parseSource(t, fset, "fsm/p.go", "package fsm\n"+body+"\n")
	return checkPurity(t, fset, "fsm", []*ast.File{file.syntax})
}
