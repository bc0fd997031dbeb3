#include "bench/api/report.h"

#include <algorithm>
#include <array>
#include <iomanip>
#include <nlohmann/json.hpp>

#include "bench/machine.h"
#include "bench/statistics.h"

namespace usbloop::bench {
namespace {

using nlohmann::json;

constexpr double kMebibyte = 1 << 20;
constexpr int kTitleWidth = 44;
constexpr int kWidth = 24;

/// A figure of a T, in the tables and in the JSON.
template <typename T>
struct ApiFigure {
  const char* name;
  const char* title;
  Spread (*of)(const T&);
};

template <double ApiStage::*figure>
Spread once(const ApiStage& stage) {
  return spread_of({stage.*figure});
}
template <std::vector<double> ApiStage::*figure>
Spread rounds(const ApiStage& stage) {
  return spread_of(stage.*figure);
}
template <double ApiStage::*figure>
Spread above_empty(const ApiStage& stage) {
  return spread_of({stage.*figure - stage.empty_kib});
}
template <std::vector<double> FanOut::*figure>
Spread of_fan_out(const FanOut& fan_out) {
  return spread_of(fan_out.*figure);
}
Spread list_mib(const ApiStage& stage) { return spread_of({stage.list_bytes / kMebibyte}); }

constexpr std::array<ApiFigure<ApiStage>, 15> kOfStages = {{
    {"created_per_second", "created by four clients, 1/s", once<&ApiStage::created_per_second>},
    {"settled_per_second", "  and settled by the controllers, 1/s", once<&ApiStage::settled_per_second>},
    {"create_cpu_us", "  server CPU for each, us", once<&ApiStage::create_cpu_us>},
    {"list_ms", "whole list, ms", rounds<&ApiStage::list_ms>},
    {"list_cpu_ms", "  server CPU, ms", rounds<&ApiStage::list_cpu_ms>},
    {"list_mib", "  size, MiB", list_mib},
    {"pages_ms", "list in pages of 500, ms", rounds<&ApiStage::pages_ms>},
    {"table_ms", "list as a table (kubectl get), ms", rounds<&ApiStage::table_ms>},
    {"get_p50_us", "get one, p50 us", rounds<&ApiStage::get_p50_us>},
    {"get_p99_us", "get one, p99 us", rounds<&ApiStage::get_p99_us>},
    {"get_cpu_us", "  server CPU, us", rounds<&ApiStage::get_cpu_us>},
    {"restart_ms", "restart until ready, ms", rounds<&ApiStage::restart_ms>},
    {"settled_kib", "resident memory, KiB above empty: settled", above_empty<&ApiStage::settled_kib>},
    {"used_kib", "  after all rounds", above_empty<&ApiStage::used_kib>},
    {"restarted_kib", "  restarted", above_empty<&ApiStage::restarted_kib>},
}};

constexpr std::array<ApiFigure<FanOut>, 5> kOfFanOut = {{
    {"writes_per_second", "burst: patches by one client, 1/s", of_fan_out<&FanOut::writes_per_second>},
    {"events_per_second", "  events to all watchers, 1/s", of_fan_out<&FanOut::events_per_second>},
    {"event_cpu_us", "  server CPU for an event, us", of_fan_out<&FanOut::event_cpu_us>},
    {"last_p50_ms", "one patch: at the last watcher, p50 ms", of_fan_out<&FanOut::last_p50_ms>},
    {"event_p99_ms", "  at each watcher, p99 ms", of_fan_out<&FanOut::event_p99_ms>},
}};

/// Medians of a figure over all columns: numbers of VMIs or of watchers.
template <typename T>
using Columns = std::vector<std::pair<double, const T*>>;

Columns<ApiStage> stages_of(const ApiResults& results) {
  Columns<ApiStage> columns;
  for (const ApiStage& stage : results.stages) columns.emplace_back(stage.vmis, &stage);
  return columns;
}
Columns<FanOut> fan_outs_of(const ApiResults& results) {
  Columns<FanOut> columns;
  for (const ApiStage& stage : results.stages) columns.emplace_back(stage.vmis, &stage.fan_out);
  return columns;
}
Columns<FanOut> watchers_of(const ApiResults& results) {
  Columns<FanOut> columns;
  for (const auto& [number, fan_out] : results.by_watchers) columns.emplace_back(number, &fan_out);
  return columns;
}

template <typename T>
double over_columns(double (*fit)(const std::vector<double>&, const std::vector<double>&), const Columns<T>& columns,
                    const ApiFigure<T>& figure) {
  std::vector<double> x;
  std::vector<double> y;
  for (const auto& [number, values] : columns) {
    x.push_back(number);
    y.push_back(figure.of(*values).median);
  }
  return fit(x, y);
}

template <typename T, std::size_t N>
void put_growth(json& object, const Columns<T>& columns, const std::array<ApiFigure<T>, N>& figures) {
  for (const auto& figure : figures) object[figure.name] = rounded(over_columns(growth_exponent, columns, figure));
}

template <typename T, std::size_t N>
void put_figures(json& object, const T& values, const std::array<ApiFigure<T>, N>& figures) {
  for (const auto& figure : figures) object[figure.name] = json_of(figure.of(values));
}

/// The last column divided by the first, of what should be the same in all.
template <typename T, std::size_t N>
void put_ratios(json& object, const Columns<T>& columns, const std::array<ApiFigure<T>, N>& figures,
                std::initializer_list<std::string> names) {
  for (const auto& figure : figures) {
    if (std::find(names.begin(), names.end(), figure.name) == names.end()) continue;
    const double first = figure.of(*columns.front().second).median;
    object[figure.name] = rounded(figure.of(*columns.back().second).median / first);
  }
}

template <typename T>
void print_head(std::ostream& out, const char* title, const Columns<T>& columns) {
  out << "\n" << std::left << std::setw(kTitleWidth) << title << std::right << std::fixed << std::setprecision(0);
  for (const auto& [number, values] : columns) out << std::setw(kWidth) << number;
  out << "    growth\n";
}

template <typename T, std::size_t N>
void print_rows(std::ostream& out, const Columns<T>& columns, const std::array<ApiFigure<T>, N>& figures) {
  for (const auto& figure : figures) {
    out << "  " << std::left << std::setw(kTitleWidth - 2) << figure.title << std::right;
    for (const auto& [number, values] : columns) {
      const Spread spread = figure.of(*values);
      out << std::setw(kWidth) << (spread.low == spread.high ? text_of(spread.median) : text_of(spread));
    }
    out << std::setw(10) << text_of(over_columns(growth_exponent, columns, figure)) << "\n";
  }
}

json kib_per_vmi(const ApiResults& results) {
  json object;
  for (const auto& figure : kOfStages) {
    const std::string name = figure.name;
    if (!name.ends_with("_kib")) continue;
    object[name.substr(0, name.size() - 4)] = rounded(over_columns(slope, stages_of(results), figure));
  }
  return object;
}

}  // namespace

json api_json(const ApiResults& results, const ApiOptions& options) {
  json object = {{"bench", "api"},
                 {"machine", machine_facts()},
                 {"rounds", options.rounds},
                 {"seconds", rounded(results.seconds)},
                 {"foreign_share", json_of(spread_of(results.foreign))},
                 {"kib_per_vmi", kib_per_vmi(results)}};
  for (const ApiStage& stage : results.stages) {
    json entry = {{"vmis", stage.vmis}, {"watchers", options.watchers.back()}, {"empty_kib", stage.empty_kib}};
    put_figures(entry, stage, kOfStages);
    put_figures(entry, stage.fan_out, kOfFanOut);
    object["stages"].push_back(std::move(entry));
  }
  for (const auto& [number, fan_out] : results.by_watchers) {
    json entry = {{"watchers", number}, {"vmis", options.numbers.back()}};
    put_figures(entry, fan_out, kOfFanOut);
    object["by_watchers"].push_back(std::move(entry));
  }
  put_growth(object["growth"], stages_of(results), kOfStages);
  put_growth(object["growth"], fan_outs_of(results), kOfFanOut);
  put_growth(object["growth_with_watchers"], watchers_of(results), kOfFanOut);
  put_ratios(object["ratios"], stages_of(results), kOfStages, {"settled_per_second", "get_p50_us", "get_p99_us"});
  put_ratios(object["ratios"], fan_outs_of(results), kOfFanOut, {"last_p50_ms", "event_p99_ms"});
  return object;
}

void print_api_tables(std::ostream& out, const ApiResults& results) {
  print_head(out, "VMIs in the store", stages_of(results));
  print_rows(out, stages_of(results), kOfStages);
  print_head(out, "VMIs in the store; the most watchers", fan_outs_of(results));
  print_rows(out, fan_outs_of(results), kOfFanOut);
  print_head(out, "Watchers; the most VMIs", watchers_of(results));
  print_rows(out, watchers_of(results), kOfFanOut);
  out << "\nGrowth is the exponent: 1 is linear, 0 constant. KiB a VMI (slope): " << kib_per_vmi(results).dump() << "\n"
      << others_text(spread_of(results.foreign)) << "\n";
}

}  // namespace usbloop::bench
