"""The data sets and stored draws that the package ships."""
