package metrics

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/hashicorp/go-metrics"
)

// TestFunctions_WriteToTheSinkOfGoMetrics: a sink that is installed in go-metrics gets the measurements of both log stores.
func TestFunctions_WriteToTheSinkOfGoMetrics(t *testing.T) {
	sink := metrics.NewInmemSink(time.Hour, time.Hour)
	conf := metrics.DefaultConfig("")
	conf.EnableHostname, conf.EnableRuntimeMetrics, conf.EnableTypePrefix = false, false, false
	if _, err := metrics.NewGlobal(conf, sink); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(metrics.Shutdown)

	AddSample([]string{"sample"}, 3)
	IncrCounter([]string{"counter"}, 4)
	SetGauge([]string{"gauge"}, 5)
	MeasureSince([]string{"time"}, time.Now())
	Default().IncrCounterWithLabels([]string{"labelled"}, 1, []Label{{Name: "name", Value: "value"}})

	data := sink.Data()
	if len(data) != 1 {
		t.Fatalf("%d intervals instead of one", len(data))
	}
	if sum := data[0].Samples["sample"].Sum; sum != 3 {
		t.Errorf("the sample is %v", sum)
	}
	if sum := data[0].Counters["counter"].Sum; sum != 4 {
		t.Errorf("the counter is %v", sum)
	}
	if value := data[0].Gauges["gauge"].Value; value != 5 {
		t.Errorf("the gauge is %v", value)
	}
	if _, measured := data[0].Samples["time"]; !measured {
		t.Errorf("no time among %v", slices.Collect(maps.Keys(data[0].Samples)))
	}
	if _, counted := data[0].Counters["labelled;name=value"]; !counted {
		t.Errorf("no labelled counter among %v", slices.Collect(maps.Keys(data[0].Counters)))
	}
}
