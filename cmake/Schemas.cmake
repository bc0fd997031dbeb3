# usbloop_schemas(FUNCTION HEADER FOLDER NAMES...): makes FUNCTION.cpp in the build folder, which defines the function
# that HEADER declares: it returns the texts of FOLDER/NAME.schema, in that order.
function(usbloop_schemas function header folder)
  set(texts "")
  foreach(name IN LISTS ARGN)
    set(file "${folder}/${name}.schema")
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${file}")
    file(READ "${file}" text)
    string(APPEND texts "      R\"schema(${text})schema\",\n")
  endforeach()
  configure_file("${CMAKE_SOURCE_DIR}/cmake/schemas.cpp.in" "${function}.cpp" @ONLY)
endfunction()
