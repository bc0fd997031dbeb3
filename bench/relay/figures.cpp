#include "bench/relay/figures.h"

#include <algorithm>

namespace usbloop::bench {
namespace {

const std::vector<Cell>& cells_of(const RelayResults& results, const std::string& mode, const std::string& test,
                                  RoadKind road) {
  static const std::vector<Cell> kNoCells;
  const auto in_mode = results.cells.find(mode);
  if (in_mode == results.cells.end()) return kNoCells;
  const auto in_test = in_mode->second.find(test);
  if (in_test == in_mode->second.end()) return kNoCells;
  const auto on_road = in_test->second.find(road);
  return on_road == in_test->second.end() ? kNoCells : on_road->second;
}

double for_one(const Cell& cell, const std::string& name) {
  const auto found = cell.cpu.find(name);
  return found == cell.cpu.end() || cell.work <= 0 ? 0 : found->second / cell.work;
}

double cost(const Cell& cell, const Cell* direct) {
  double sum = 0;
  for (const auto& [name, seconds] : cell.cpu) {
    if (name != "peer" && name != "load tool") sum += seconds / cell.work;
  }
  if (direct != nullptr) sum += std::max(0.0, for_one(cell, "load tool") - for_one(*direct, "load tool"));
  return sum;
}

}  // namespace

std::vector<double> figure(const RelayResults& results, const std::string& mode, const std::string& test, RoadKind road,
                           Figure what) {
  const auto& cells = cells_of(results, mode, test, road);
  const auto& direct = cells_of(results, mode, test, RoadKind::direct);
  const bool has_client_inside = road == RoadKind::ours || road == RoadKind::ours_plain;
  std::vector<double> values;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const Cell* base = has_client_inside && i < direct.size() ? &direct[i] : nullptr;
    switch (what) {
      case Figure::p50: values.push_back(cells[i].p50_us); break;
      case Figure::p90: values.push_back(cells[i].p90_us); break;
      case Figure::p99: values.push_back(cells[i].p99_us); break;
      case Figure::mb_per_s: values.push_back(cells[i].mb_per_s); break;
      case Figure::cpu:
        // Without the direct road the client's part of ours is not known.
        if (base != nullptr || !has_client_inside) values.push_back(cost(cells[i], base));
        break;
    }
  }
  return values;
}

std::vector<double> ratio(const RelayResults& results, const std::string& mode, const std::string& test, RoadKind road,
                          RoadKind base, Figure what) {
  return divided(figure(results, mode, test, road, what), figure(results, mode, test, base, what));
}

std::map<std::string, Spread> key_ratios(const RelayResults& results, const std::string& mode, RoadKind road,
                                         RoadKind base) {
  std::map<std::string, Spread> ratios;
  const auto put = [&ratios](const std::string& name, const std::vector<double>& values) {
    if (!values.empty()) ratios[name] = spread_of(values);
  };
  for (const char* size : {"64", "16384", "131072"}) {
    put(std::string("latency_") + size, ratio(results, mode, size, road, base, Figure::p50));
  }
  for (const char* way : {"up", "down"}) {
    put(std::string("stream_") + way, ratio(results, mode, way, road, base, Figure::mb_per_s));
  }
  const auto both_ways = [&](RoadKind of) {
    auto sum = figure(results, mode, "up", of, Figure::cpu);
    const auto down = figure(results, mode, "down", of, Figure::cpu);
    sum.resize(std::min(sum.size(), down.size()));
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += down[i];
    return sum;
  };
  put("cpu_per_gib", divided(both_ways(road), both_ways(base)));
  return ratios;
}

}  // namespace usbloop::bench
