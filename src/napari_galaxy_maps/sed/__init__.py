"""Light of stars, ionised gas and dust in every band, from compact tables that ship with the
package.
"""
