from clearinghouse.soap import spyne_import

spyne_import.install()
