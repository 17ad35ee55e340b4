package core_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The package is two files that import only the standard library, have no
// variable at package level, and are the same on every platform.
func TestRules(t *testing.T) {
	set := token.NewFileSet()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var files, methods []string
	both := false // there is a select that receives from both
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(set, name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, name)
		for _, group := range file.Comments {
			if strings.Contains(group.Text(), "go:build") || strings.HasPrefix(group.List[0].Text, "//go:build") {
				t.Errorf("%s has a build tag", name)
			}
		}
		for _, imp := range file.Imports {
			if path, _, _ := strings.Cut(strings.Trim(imp.Path.Value, `"`), "/"); strings.Contains(path, ".") || path == "sluice" {
				t.Errorf("%s imports %s", name, imp.Path.Value)
			}
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectStmt); ok {
				var heard []string
				for _, clause := range s.Body.List {
					if comm := clause.(*ast.CommClause).Comm; comm != nil {
						ast.Inspect(comm, func(n ast.Node) bool {
							if recv, ok := n.(*ast.UnaryExpr); ok && recv.Op == token.ARROW {
								heard = append(heard, types.ExprString(recv.X))
							}
							return true
						})
					}
				}
				both = both || slices.Contains(heard, "c.jobs") && slices.Contains(heard, "ctx.Done()")
			}
			return true
		})
		for _, decl := range file.Decls {
			gen, ok := decl.(*ast.GenDecl)
			if !ok {
				continue
			}
			if gen.Tok == token.VAR {
				t.Errorf("%s: a variable at package level", set.Position(gen.Pos()))
			}
			for _, spec := range gen.Specs {
				typ, ok := spec.(*ast.TypeSpec)
				if !ok || typ.Name.Name != "MetricStore" {
					continue
				}
				for _, m := range typ.Type.(*ast.InterfaceType).Methods.List {
					for _, n := range m.Names {
						methods = append(methods, n.Name)
					}
					if len(m.Names) == 0 {
						t.Error("MetricStore embeds another interface")
					}
				}
			}
		}
	}
	if !both {
		t.Error("no select listens to both c.jobs and ctx.Done()")
	}
	slices.Sort(files)
	if want := []string{"collector.go", "store.go"}; !slices.Equal(files, want) {
		t.Errorf("files %v, want %v", files, want)
	}
	slices.Sort(methods)
	if want := []string{"Get", "Inc"}; !slices.Equal(methods, want) {
		t.Errorf("MetricStore has %v, want %v", methods, want)
	}
}
