-- The generated file is checked as a whole: its parts use each other's locals.
std = "lua52"
-- Words of the definitions are not broken, however long the line gets.
ignore = { "631" }
read_globals = {
    "ByteArray", "Dissector", "DissectorTable", "ENC_UTF_8", "Field", "Listener", "MENU_TOOLS_UNSORTED", "Pref", "Proto",
    "ProtoExpert", "ProtoField", "TextWindow", "UInt64", "base", "expert", "frametype", "get_preference", "gui_enabled", "register_menu",
    "register_postdissector", "set_plugin_info",
}
