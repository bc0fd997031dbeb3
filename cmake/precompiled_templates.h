// Templates that most files would instantiate for themselves. USBLOOP_TEMPLATE says what to do with them: `template`
// makes them, `extern template` promises that another file does. No include guard: it is read once for each.

USBLOOP_TEMPLATE class nlohmann::basic_json<>;
USBLOOP_TEMPLATE class std::vector<nlohmann::json>;
USBLOOP_TEMPLATE class std::map<std::string, nlohmann::json, std::less<>>;
USBLOOP_TEMPLATE class std::vector<std::string>;
USBLOOP_TEMPLATE class std::map<std::string, std::string>;
USBLOOP_TEMPLATE class std::set<std::string>;
USBLOOP_TEMPLATE class std::optional<std::string>;
