#include <algorithm>
#include <cmath>
#include <cstdio>

#include "bench/machine.h"
#include "bench/relay/figures.h"
#include "bench/relay/report.h"

namespace usbloop::bench {
namespace {

constexpr double kLeft = 64;
constexpr double kTop = 34;
constexpr double kPlotWidth = 420;
constexpr double kHeight = 250;

struct Line {
  RoadKind road;
  const char* label;
  const char* color;  ///< of a middle lightness: legible on white and on black
};
constexpr Line kLines[] = {{RoadKind::direct, "direct unix socket", "#8a8f98"},
                           {RoadKind::floor, "floor: C, one TLS hop", "#2f8fd8"},
                           {RoadKind::ours, "usbloop", "#e0662c"},
                           {RoadKind::ours_plain, "usbloop, no handoff", "#b08a2e"}};

/// Where the figures lie on the paper; both axes are logarithmic.
struct Scale {
  double size_low, size_high, time_low, time_high;
  [[nodiscard]] double x(double size) const {
    return kLeft + kPlotWidth * std::log(size / size_low) / std::log(size_high / size_low);
  }
  [[nodiscard]] double y(double time) const {
    return kTop + kHeight - kHeight * std::log(time / time_low) / std::log(time_high / time_low);
  }
};

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", value);
  return text;
}

std::string text_at(double x, double y, const std::string& anchor, const std::string& text) {
  return "<text x=\"" + number(x) + "\" y=\"" + number(y) + "\" text-anchor=\"" + anchor + "\">" + text + "</text>\n";
}

std::string size_label(double size) {
  if (size < 1024) return std::to_string(static_cast<int>(size)) + " B";
  if (size < 1 << 20) return std::to_string(static_cast<int>(size / 1024)) + " KiB";
  return std::to_string(static_cast<int>(size / (1 << 20))) + " MiB";
}

std::string axes(const Scale& scale, const std::vector<double>& sizes) {
  std::string svg;
  for (double time = scale.time_low; time <= scale.time_high * 1.01; time *= 10) {
    svg += "<line class=\"grid\" x1=\"" + number(kLeft) + "\" x2=\"" + number(kLeft + kPlotWidth) + "\" y1=\"" +
           number(scale.y(time)) + "\" y2=\"" + number(scale.y(time)) + "\"/>\n";
    const std::string label = time >= 1000 ? text_of(time / 1000) + " ms" : text_of(time) + " us";
    svg += text_at(kLeft - 6, scale.y(time) + 4, "end", label);
  }
  for (const double size : sizes) svg += text_at(scale.x(size), kTop + kHeight + 18, "middle", size_label(size));
  return svg;
}

}  // namespace

std::string relay_plot(const RelayResults& results, const RelayOptions& options) {
  const std::string mode = options.modes.front();
  std::vector<double> sizes;
  for (const std::string& test : options.tests) {
    if (test != "up" && test != "down") sizes.push_back(std::stod(test));
  }
  if (sizes.size() < 2) return {};
  const auto time = [&](RoadKind road, double size) {
    const auto test = std::to_string(static_cast<std::size_t>(size));
    return median(figure(results, mode, test, road, Figure::p50));
  };
  double low = 1e9;
  double high = 0;
  for (const RoadKind road : options.roads) {
    for (const double size : sizes) {
      low = std::min(low, time(road, size));
      high = std::max(high, time(road, size));
    }
  }
  const Scale scale{sizes.front(), sizes.back(), std::pow(10, std::floor(std::log10(low))),
                    std::pow(10, std::ceil(std::log10(high)))};
  std::string svg =
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 500 390\" width=\"500\" height=\"390\">\n"
      "<style>text{font:12px sans-serif;fill:#7d828c} .grid{stroke:#7d828c;stroke-opacity:.3} "
      "polyline{fill:none;stroke-width:2}</style>\n";
  svg += text_at(kLeft, 18, "start", "Median round trip by message size, " + mode + ", both axes logarithmic");
  svg += axes(scale, sizes);
  double legend = kTop + kHeight + 40;
  for (const Line& line : kLines) {
    if (std::find(options.roads.begin(), options.roads.end(), line.road) == options.roads.end()) continue;
    const std::string color = line.color;
    std::string points;
    for (const double size : sizes)
      points += number(scale.x(size)) + "," + number(scale.y(time(line.road, size))) + " ";
    svg += "<polyline stroke=\"" + color + "\" points=\"" + points + "\"/>\n";
    svg += "<line stroke=\"" + color + "\" stroke-width=\"2\" x1=\"" + number(kLeft) + "\" x2=\"" + number(kLeft + 24) +
           "\" y1=\"" + number(legend - 4) + "\" y2=\"" + number(legend - 4) + "\"/>\n";
    svg += text_at(kLeft + 32, legend, "start", line.label);
    legend += 16;
  }
  return svg + "</svg>\n";
}

}  // namespace usbloop::bench
