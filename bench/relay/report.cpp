#include "bench/relay/report.h"

#include <iomanip>
#include <nlohmann/json.hpp>

#include "bench/machine.h"
#include "bench/relay/figures.h"

namespace usbloop::bench {
namespace {

using nlohmann::json;

json cell_json(const RelayResults& results, const std::string& mode, const std::string& test, RoadKind road) {
  const auto get = [&](Figure what, double factor = 1) {
    auto values = figure(results, mode, test, road, what);
    for (double& value : values) value *= factor;
    return json_of(spread_of(values));
  };
  json cell;
  if (is_stream(test)) {
    cell = {{"mb_per_s", get(Figure::mb_per_s)}, {"cpu_s_per_gib", get(Figure::cpu)}};
  } else {
    cell = {{"p50_us", get(Figure::p50)},
            {"p90_us", get(Figure::p90)},
            {"p99_us", get(Figure::p99)},
            {"cpu_us_per_round_trip", get(Figure::cpu, 1e6)}};
  }
  std::map<std::string, std::vector<double>> parts;
  for (const Cell& of_round : results.cells.at(mode).at(test).at(road)) {
    for (const auto& [name, seconds] : of_round.cpu) {
      parts[name].push_back(seconds / of_round.work * (is_stream(test) ? 1 : 1e6));
    }
  }
  for (const auto& [name, values] : parts) cell["cpu_by_process"][name] = rounded(median(values));
  return cell;
}

json medians(const std::map<std::string, Spread>& ratios) {
  json object = json::object();
  for (const auto& [name, spread] : ratios) object[name] = rounded(spread.median);
  return object;
}

json spreads(const std::map<std::string, Spread>& ratios) {
  json object = json::object();
  for (const auto& [name, spread] : ratios) object[name] = json_of(spread);
  return object;
}

std::string heading(const std::string& test) {
  if (test == "up") return "Stream to the guest (64 KiB packets)";
  if (test == "down") return "Stream from the guest (64 KiB packets)";
  const auto size = std::stoul(test);
  return "There and back, " + (size < 1024 ? test + " B" : std::to_string(size / 1024) + " KiB");
}

void print_row(std::ostream& out, const RelayResults& results, const std::string& mode, const std::string& test,
               RoadKind road) {
  const auto text = [&](Figure what, double factor = 1) {
    auto values = figure(results, mode, test, road, what);
    for (double& value : values) value *= factor;
    return text_of(spread_of(values));
  };
  const Figure main = is_stream(test) ? Figure::mb_per_s : Figure::p50;
  out << "  " << std::left << std::setw(11) << name_of(road) << std::right << std::setw(22) << text(main);
  if (!is_stream(test)) {
    out << std::setw(10) << text_of(median(figure(results, mode, test, road, Figure::p90))) << std::setw(10)
        << text_of(median(figure(results, mode, test, road, Figure::p99)));
  }
  out << std::setw(22) << text(Figure::cpu, is_stream(test) ? 1 : 1e6);
  for (const RoadKind base : {RoadKind::direct, RoadKind::tcp, RoadKind::floor}) {
    out << std::setw(9) << text_of(median(ratio(results, mode, test, road, base, main)));
  }
  out << "\n";
}

void print_table(std::ostream& out, const RelayResults& results, const RelayOptions& options, const std::string& mode,
                 const std::string& test) {
  out << "\n" << heading(test) << ", " << mode << "\n  " << std::left << std::setw(11) << "road" << std::right;
  if (is_stream(test)) {
    out << std::setw(22) << "MB/s" << std::setw(22) << "CPU s/GiB";
  } else {
    out << std::setw(22) << "p50 us" << std::setw(10) << "p90" << std::setw(10) << "p99" << std::setw(22) << "CPU us";
  }
  out << std::setw(9) << "/direct" << std::setw(9) << "/tcp" << std::setw(9) << "/floor"
      << "\n";
  for (const RoadKind road : options.roads) print_row(out, results, mode, test, road);
}

void print_ratios(std::ostream& out, const RelayResults& results, const RelayOptions& options) {
  for (const std::string& mode : options.modes) {
    for (const RoadKind road : options.roads) {
      const auto ratios = key_ratios(results, mode, road, RoadKind::floor);
      if ((road != RoadKind::ours && road != RoadKind::ours_plain) || ratios.empty()) continue;
      out << "\n" << name_of(road) << " / floor, " << mode << " (median over the rounds [lowest-highest])\n";
      for (const auto& [name, spread] : ratios) {
        out << "  " << std::left << std::setw(16) << name << std::right << text_of(spread) << "\n";
      }
    }
  }
}

}  // namespace

json relay_json(const RelayResults& results, const RelayOptions& options) {
  json object = {{"bench", "relay"},
                 {"machine", machine_facts()},
                 {"rounds", options.rounds},
                 {"scale", options.scale},
                 {"seconds", rounded(results.seconds)},
                 {"foreign_share", json_of(spread_of(results.foreign))},
                 {"peak_kib", results.peak_kib},
                 {"ratios", medians(key_ratios(results, "unpinned", RoadKind::ours, RoadKind::floor))}};
  for (const std::string& mode : options.modes) {
    for (const std::string& test : options.tests) {
      for (const RoadKind road : options.roads) {
        object["results"][mode][test][name_of(road)] = cell_json(results, mode, test, road);
      }
    }
    for (const RoadKind road : options.roads) {
      for (const RoadKind base : {RoadKind::floor, RoadKind::tcp, RoadKind::direct}) {
        if (road == base) continue;
        object["paired"][mode][std::string(name_of(road)) + "/" + name_of(base)] =
            spreads(key_ratios(results, mode, road, base));
      }
    }
  }
  return object;
}

void print_relay_tables(std::ostream& out, const RelayResults& results, const RelayOptions& options) {
  for (const std::string& mode : options.modes) {
    for (const std::string& test : options.tests) print_table(out, results, options, mode, test);
  }
  print_ratios(out, results, options);
  out << "\nPeak resident memory, KiB:";
  for (const auto& [name, kib] : results.peak_kib) out << "  " << name << " " << kib;
  out << "\n" << others_text(spread_of(results.foreign)) << "\n";
}

}  // namespace usbloop::bench
